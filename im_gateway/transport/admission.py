"""How many handshakes are let in: one bucket for the process, one per address for those that come to nothing."""

import math
from collections.abc import Callable
from http import HTTPStatus

from im_gateway.limits.address_buckets import AddressBuckets
from im_gateway.limits.bucket import Bucket
from im_gateway.settings import LimitSettings
from im_gateway.transport.handshake import Refusal
from im_gateway.transport.networks import Networks
from im_infra import error_table

_RETRY_AFTER_S = (2.0, 15.0)
"""Spread, so that a herd does not come back as a herd."""


class Admission:
    """Decides on handshakes.

    Args:
        settings: rates and bursts.
        exempt: networks without buckets.
        monotonic: seconds.
        uniform: a random number between two.
    """

    def __init__(
        self,
        settings: LimitSettings,
        *,
        exempt: Networks,
        monotonic: Callable[[], float],
        uniform: Callable[[float, float], float],
    ) -> None:
        self._exempt = exempt
        self._monotonic = monotonic
        self._uniform = uniform
        self._process = Bucket(settings.handshakes_per_s, settings.handshake_burst, monotonic())
        self._addresses = AddressBuckets(
            settings.failed_handshakes_per_ip_per_s, settings.failed_handshake_burst_per_ip
        )
        self.draining = False

    def judge(self, address: str) -> Refusal | None:
        """Take a place for a handshake from `address`, or say why not."""
        if self.draining:
            return self._refusal(HTTPStatus.SERVICE_UNAVAILABLE, self._uniform(*_RETRY_AFTER_S))
        if address in self._exempt:
            return None
        now = self._monotonic()
        wait_s = self._addresses.take(address, now)
        if wait_s:
            return self._refusal(HTTPStatus.TOO_MANY_REQUESTS, wait_s)
        if self._process.take(now):
            self._addresses.put_back(address)
            return self._refusal(HTTPStatus.SERVICE_UNAVAILABLE, self._uniform(*_RETRY_AFTER_S))
        return None

    def hello_was_good(self, address: str) -> None:
        """The handshake ended in a session: its address gets the token back."""
        self._addresses.put_back(address)

    def forget_full(self) -> None:
        """Drop the buckets of addresses that have been quiet."""
        self._addresses.forget_full(self._monotonic())

    def _refusal(self, status: HTTPStatus, wait_s: float) -> Refusal:
        reason = error_table.RATE_LIMITED if status == HTTPStatus.TOO_MANY_REQUESTS else error_table.OVERLOADED
        return Refusal(status, reason, reason.meaning, (("Retry-After", str(max(1, math.ceil(wait_s)))),))
