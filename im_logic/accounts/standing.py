"""Whether a session stands. Pure; every door asks here: a socket's Hello, HTTP, a refresh."""

from im_infra import error_table
from im_infra.error_table import Reason
from im_logic.accounts.model import Session, User


def refusal(session: Session | None, user: User | None, *, generation: int, take_over: bool = False) -> Reason | None:
    """Why a token of this session and generation is refused; None: it is good.

    Args:
        session: as stored now; None: there is none.
        user: its account.
        generation: what the token says.
        take_over: a person asked to return where another device took the place.

    An older generation of a session that still stands (its password was changed, or it was displaced and came back)
    answers TOKEN_EXPIRED: the token is dead, the login is not, and a refresh gives the next one.
    """
    if session is None or user is None or session.revoked:
        return error_table.SESSION_REVOKED
    if user.disabled:
        return error_table.ACCOUNT_DISABLED
    if session.displaced and not take_over:
        return error_table.KICKED
    if generation < session.generation:
        return error_table.TOKEN_EXPIRED
    return None
