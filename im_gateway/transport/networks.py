"""Networks, and whose word about a client's address counts: rules only."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network


class Networks:
    """A set of networks.

    Args:
        cidrs: such as `10.0.0.0/8` or `::1`.

    Raises:
        ValueError: one of them is none.
    """

    def __init__(self, cidrs: Iterable[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(cidr, strict=False) for cidr in cidrs]

    def __contains__(self, address: str) -> bool:
        """Whether an address is in one of them; what is no address is in none."""
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Networks) -> str:
    """The client's address.

    From the socket's peer leftwards through X-Forwarded-For, as far as each hop is a trusted proxy: whatever an
    untrusted one wrote was made up by it.
    """
    address = peer
    for claimed in reversed(forwarded_for):
        if address not in trusted:
            break
        try:
            address = str(ip_address(claimed.strip().strip("[]")))
        except ValueError:
            break
    return address
