"""Who asks: one account of each kind, and those around them."""

import asyncio
import secrets
from dataclasses import dataclass

from im_cli import user as user_command
from tests.support.cluster import Cluster
from tests.support.http_client import PASSWORD, Account, HttpClient

KINDS = ("guest", "registered", "bot", "admin")


@dataclass(frozen=True, slots=True)
class People:
    """The accounts of a run."""

    subjects: dict[str, Account]
    """By kind: whose rights are looked at."""
    outcasts: dict[str, Account]
    """By kind: banned from the world room."""
    host: Account
    """Owns the groups that a subject is put into."""
    other: Account
    """A plain member of them."""
    stranger: Account
    """In none of them."""


async def gather_people(cluster: Cluster, http: HttpClient) -> People:
    """Make them all."""
    subjects = {kind: await _account(cluster, http, kind) for kind in KINDS}
    outcasts = {kind: await _account(cluster, http, kind) for kind in KINDS}
    host, other, stranger = [await http.register(device_class="DEVICE_CLASS_BOT") for _ in range(3)]
    return People(subjects, outcasts, host, other, stranger)


async def _account(cluster: Cluster, http: HttpClient, kind: str) -> Account:
    """Guests and registered accounts come in by themselves, the others are made by the operator."""
    if kind == "guest":
        return await http.guest()
    if kind == "registered":
        return await http.register(device_class="DEVICE_CLASS_BOT")
    handle = f"{kind}_{secrets.token_hex(4)}"
    await asyncio.to_thread(
        user_command.create, handle, kind=kind, password=PASSWORD, name="", data_dir=cluster.data_dir
    )
    return await http.login(handle)
