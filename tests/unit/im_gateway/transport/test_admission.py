"""How many handshakes are let in."""

from http import HTTPStatus

from im_gateway.settings import LimitSettings
from im_gateway.transport.admission import Admission
from im_gateway.transport.networks import Networks
from im_infra.clock import ManualClock

SETTINGS = LimitSettings(
    handshakes_per_s=1, handshake_burst=3, failed_handshakes_per_ip_per_s=1, failed_handshake_burst_per_ip=2
)


def admission(clock: ManualClock, exempt: tuple[str, ...] = ()) -> Admission:
    return Admission(SETTINGS, exempt=Networks(exempt), monotonic=clock.monotonic, uniform=lambda low, high: high)


def test_an_address_whose_handshakes_come_to_nothing_waits() -> None:
    clock = ManualClock()
    judge = admission(clock)
    assert [judge.judge("a") for _ in range(2)] == [None, None]
    refusal = judge.judge("a")
    assert refusal is not None
    assert refusal.status == HTTPStatus.TOO_MANY_REQUESTS
    clock.advance(1)
    assert judge.judge("a") is None


def test_a_good_hello_gives_the_token_back() -> None:
    judge = admission(ManualClock())
    for _ in range(2):
        assert judge.judge("a") is None
    judge.hello_was_good("a")
    assert judge.judge("a") is None


def test_the_process_limit_says_when_to_come_back_at_random() -> None:
    judge = admission(ManualClock())
    for address in "abc":
        assert judge.judge(address) is None
    refusal = judge.judge("d")
    assert refusal is not None
    assert refusal.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert refusal.headers == (("Retry-After", "15"),)


def test_exempt_networks_have_no_bucket_but_leave_when_draining() -> None:
    judge = admission(ManualClock(), exempt=("10.0.0.0/8",))
    assert [judge.judge("10.0.0.1") for _ in range(10)] == [None] * 10
    judge.draining = True
    assert judge.judge("10.0.0.1") is not None
