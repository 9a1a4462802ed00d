"""Certificates for servers of a test on loopback, signed by an authority of the test's own."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_NEW_KEY: Final = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files."""

    certificate: Path
    key: Path


def make_authority(folder: Path, name: str = "ca") -> Certificate:
    """A certificate that may sign others."""
    return _make(
        folder, name, "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign"
    )


def make_certificate(folder: Path, authority: Certificate, name: str = "server") -> Certificate:
    """A certificate of `127.0.0.1` and `localhost`, good for servers and clients."""
    return _make(
        folder, name,
        "-CA", str(authority.certificate), "-CAkey", str(authority.key),
        "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-addext", "extendedKeyUsage=serverAuth,clientAuth",
    )  # fmt: skip


def _make(folder: Path, name: str, *options: str) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = [*_NEW_KEY, "-days", "7", "-subj", f"/CN={name}", "-out", str(made.certificate), "-keyout", str(made.key)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    return made
