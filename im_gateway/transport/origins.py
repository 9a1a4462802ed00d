"""Which web pages may open a socket here: rules only."""

from collections.abc import Collection

ANY = "*"


def origin_allowed(origin: str, *, host: str, allowed: Collection[str]) -> bool:
    """Whether a page of `origin` may connect.

    Args:
        origin: the Origin header; empty for programs that are no browser, which nothing here could hold back.
        host: the Host header: a page served by this very host may.
        allowed: further origins, `*` for all.
    """
    if not origin or ANY in allowed or origin in allowed:
        return True
    scheme, separator, rest = origin.partition("://")
    return bool(separator) and scheme in {"http", "https"} and bool(host) and rest.lower() == host.lower()
