"""What a person can do when a server cannot be used."""

from im_bench.trouble import Trouble


def advice_on(trouble: Trouble, url: str) -> str:
    """A sentence without its point; empty where the message says all there is."""
    match trouble:
        case Trouble.NO_SERVER:
            return f"is a server at {url}? `im up` starts one"
        case Trouble.LIMITED:
            return "its gateway.limits.exempt_networks must cover this machine"
        case Trouble.OTHER:
            return ""
