"""What the gateway counts: plain integers on the hot path, carried over to the metrics once a second."""

from typing import Final

from im_infra.observability.metrics import Metrics

_COUNTERS: Final = {
    "received_frames": "im_gateway_received_frames_total",
    "sent_frames": "im_gateway_sent_frames_total",
    "sent_messages": "im_gateway_sent_messages_total",
    "pushed_frames": "im_gateway_pushed_frames_total",
    "dropped_pushes": "im_gateway_dropped_pushes_total",
    "unknown_connections": "im_gateway_unknown_connections_total",
    "malformed_frames": "im_gateway_malformed_frames_total",
    "limited_sends": "im_gateway_limited_sends_total",
    "limited_operations": "im_gateway_limited_operations_total",
    "fanned_out_entries": "im_gateway_fanned_out_entries_total",
    "merged_entries": "im_gateway_merged_entries_total",
    "filled_gaps": "im_gateway_filled_gaps_total",
    "ring_pulls": "im_gateway_ring_pulls_total",
    "checks": "im_gateway_checks_total",
}


class Tally:
    """Counts since the last `publish`.

    Args:
        metrics: where they are carried over to.
    """

    __slots__ = (*_COUNTERS, "_counters")

    def __init__(self, metrics: Metrics) -> None:
        self._counters = {field: metrics.counter(name) for field, name in _COUNTERS.items()}
        self.received_frames = 0
        self.sent_frames = 0
        self.sent_messages = 0
        self.pushed_frames = 0
        self.dropped_pushes = 0
        self.unknown_connections = 0
        self.malformed_frames = 0
        self.limited_sends = 0
        self.limited_operations = 0
        self.fanned_out_entries = 0
        self.merged_entries = 0
        self.filled_gaps = 0
        self.ring_pulls = 0
        self.checks = 0

    def publish(self) -> None:
        """Carry everything over and start again at zero."""
        for field, counter in self._counters.items():
            count = getattr(self, field)
            if count:
                counter.inc(count)
                setattr(self, field, 0)
