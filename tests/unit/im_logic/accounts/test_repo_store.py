"""The store's own promises, over the real repo."""

from typing import Any

from im_logic.accounts.model import Installation
from im_logic.accounts.repo_store import RepoAccountStore


async def test_what_is_not_there_is_none(store: RepoAccountStore) -> None:
    assert await store.find_user("nobody") is None
    assert await store.load_user(1) is None
    assert await store.find_session(1) is None
    assert await store.restore(1) is None


async def test_an_account_is_found_by_handle_and_id_with_its_hash(
    store: RepoAccountStore, people: Any, phone: Installation
) -> None:
    grant = await people.register(phone)
    user = await store.find_user("alice")
    assert user is not None
    assert user == await store.load_user(grant.user.user_id)
    assert user.password_hash == "plain:correct horse"
    assert "correct horse" not in repr(user)


async def test_displacing_twice_raises_the_generation_once_and_restoring_lifts_the_mark(
    store: RepoAccountStore, people: Any, phone: Installation
) -> None:
    grant = await people.register(phone)
    for _ in range(2):
        await store.displace([grant.session_id])
    found = await store.find_session(grant.session_id)
    assert found is not None
    assert (found[0].displaced, found[0].generation) == (True, 2)
    restored = await store.restore(grant.session_id)
    assert restored is not None
    assert (restored.displaced, restored.generation) == (False, 2)


async def test_displacing_nobody_asks_nobody(store: RepoAccountStore) -> None:
    await store.displace([])
