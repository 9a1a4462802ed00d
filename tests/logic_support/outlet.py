"""Where stored entries go, kept."""

from typing import Any

from im_proto.repo.v1.stream_pb2 import AppendItem, AppendResult


class KeptOutlet:
    """Keeps what was stored and what was repeated."""

    def __init__(self) -> None:
        self.stored_results: list[AppendResult] = []
        self.repeated_results: list[AppendResult] = []

    def stored(self, proposal: Any, item: AppendItem, result: AppendResult, conversation: Any, client: Any) -> None:
        """An entry was stored."""
        self.stored_results.append(result)

    def repeated(self, result: AppendResult) -> None:
        """An entry was repeated."""
        self.repeated_results.append(result)
