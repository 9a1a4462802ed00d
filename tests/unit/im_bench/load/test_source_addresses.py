"""Source addresses: enough ports for every connection."""

from collections import Counter

from im_bench.load.schedule import Part
from im_bench.load.source_addresses import PER_ADDRESS, SourceAddresses

LOOPBACK = "http://127.0.0.1:8080"


def test_on_loopback_no_address_of_any_process_has_more_connections_than_ports() -> None:
    taken: Counter[str | None] = Counter()
    for index in range(3):
        addresses = SourceAddresses(LOOPBACK, Part(index, 3))
        taken.update(addresses.take() for _ in range(2 * PER_ADDRESS))
    assert len(taken) == 6
    assert max(taken.values()) == PER_ADDRESS
    assert all(address is not None and address.startswith("127.0.0.") for address in taken)


def test_elsewhere_the_system_chooses_unless_told() -> None:
    assert SourceAddresses("https://chat.example", Part(0, 1)).take() is None
    given = SourceAddresses("https://chat.example", Part(1, 2), ["10.0.0.1", "10.0.0.2"])
    assert [given.take(), given.take()] == ["10.0.0.2", "10.0.0.2"]
