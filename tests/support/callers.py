"""Which of some processes holds the other end of a connection on loopback."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def name_caller(port: int, pids: Mapping[str, int]) -> str:
    """The name of the process that connected from a port of loopback; empty: none of these.

    Args:
        port: the caller's own.
        pids: the process ids, by name.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    for name, pid in pids.items():
        with suppress(OSError):  # it ends at this moment
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in sockets:
                        return name
    return ""


def _inodes(port: int) -> set[str]:
    """Of the sockets with that local port; gRPC's are IPv6 ones."""
    suffix = f":{port:04X}"
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(suffix):
                found.add(fields[9])
    return found - {"0"}
