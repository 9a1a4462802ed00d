"""Naming the process at the other end."""

import os
import socket

from tests.support.callers import name_caller


def test_the_process_at_the_other_end_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as mine:
        port = mine.getsockname()[1]
        assert name_caller(port, {"init": 1, "me": os.getpid()}) == "me"
        assert name_caller(port, {"gone": 2**22 - 1}) == ""
    assert name_caller(1, {"me": os.getpid()}) == ""
