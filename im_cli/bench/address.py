"""What is wrong with an address on the command line, before anything is started or connected."""

import ipaddress
import socket
from urllib.parse import urlsplit


def problem_with_url(url: str) -> str | None:
    """Why this is no address of a gateway; None when it is one."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port above 65535, brackets that do not close
        good = False
    if good and not (parts.query or parts.fragment or parts.username or any(each.isspace() for each in url)):
        return None
    return f"--url {url or repr(url)}: write http://host:port or https://host:port"


def problem_with_source(address: str) -> str | None:
    """Why nothing can connect from this address; None when it can."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return f"--source-address {address or repr(address)}: write an IP address of this machine"
    try:
        with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6) as probe:
            probe.bind((address, 0))
    except OSError as error:
        return f"--source-address {address}: nothing can connect from it: {error.strerror}"
    return None
