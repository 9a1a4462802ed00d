"""Who makes room for whom."""

from im_logic.sessions.kick import HELLO_LASTS_MS, ConnectionKey, Limits, LiveConnection, joined, judge

PHONE, WEB = 1, 4
LIMITS = Limits(instances=2, devices={PHONE: 1, WEB: 2})


def connection(number: int, device: str, *, instance: str = "", device_class: int = PHONE) -> LiveConnection:
    return LiveConnection(
        key=ConnectionKey("g", "b", number),
        session_id=100 + int(device[1:]),
        device_id=device,
        instance_id=instance or f"i{number}",
        device_class=device_class,
    )


def test_the_first_connection_harms_nobody() -> None:
    me = connection(1, "d1")
    verdict = judge([me], me, limits=LIMITS)
    assert not verdict.victims
    assert not verdict.displaced


def test_the_same_instance_is_replaced_on_whatever_gateway() -> None:
    old = LiveConnection(ConnectionKey("other", "b", 9), 101, "d1", "tab", PHONE)
    me = connection(1, "d1", instance="tab")
    verdict = judge([old, me], me, limits=LIMITS)
    assert verdict.replaced == (old,)
    assert not verdict.kicked


def test_the_same_instance_id_on_another_device_is_another_instance() -> None:
    other = connection(1, "d2", instance="tab", device_class=WEB)
    me = connection(2, "d1", instance="tab", device_class=WEB)
    assert not judge([other, me], me, limits=LIMITS).victims


def test_a_device_holds_so_many_instances_and_no_more() -> None:
    tabs = [connection(n, "d1", device_class=WEB) for n in (1, 2, 3)]
    assert not judge(tabs[:2], tabs[1], limits=LIMITS).too_many_instances
    assert judge(tabs, tabs[2], limits=LIMITS).too_many_instances


def test_an_instance_of_a_full_device_that_comes_again_is_let_in() -> None:
    first, second = connection(1, "d1", instance="a"), connection(2, "d1", instance="b")
    again = connection(3, "d1", instance="a")
    verdict = judge([first, second, again], again, limits=LIMITS)
    assert not verdict.too_many_instances
    assert verdict.replaced == (first,)


def test_the_oldest_devices_of_the_class_are_kicked_with_all_their_instances() -> None:
    oldest = [connection(1, "d1", device_class=WEB), connection(2, "d1", device_class=WEB)]
    second = connection(3, "d2", device_class=WEB)
    me = connection(4, "d3", device_class=WEB)
    assert judge([*oldest, second, me], me, limits=LIMITS).kicked == tuple(oldest)


def test_a_device_is_as_new_as_its_newest_connection() -> None:
    first, second = connection(1, "d1", device_class=WEB), connection(2, "d2", device_class=WEB)
    again, me = connection(3, "d1", device_class=WEB), connection(4, "d3", device_class=WEB)
    assert judge([first, second, again, me], me, limits=LIMITS).kicked == (second,)


def test_other_classes_are_left_alone() -> None:
    browser, me = connection(1, "d1", device_class=WEB), connection(2, "d2")
    assert not judge([browser, me], me, limits=LIMITS).victims


def test_a_class_without_a_limit_kicks_nobody() -> None:
    others = [connection(n, f"d{n}", device_class=5) for n in range(1, 30)]
    assert not judge(others, others[-1], limits=LIMITS).victims


def test_a_resumed_connection_replaces_its_own_and_kicks_nobody() -> None:
    own, other = connection(1, "d1", instance="app"), connection(2, "d2")
    me = connection(3, "d1", instance="app")
    verdict = judge([own, other, me], me, limits=LIMITS, resumed=True)
    assert verdict.replaced == (own,)
    assert not verdict.kicked


def test_of_two_that_come_at_once_the_later_stays() -> None:
    first, second = connection(1, "d1"), connection(2, "d2")
    assert judge([first, second], first, limits=LIMITS).displaced
    assert judge([first, second], second, limits=LIMITS).kicked == (first,)


def test_whoever_was_taken_out_meanwhile_is_displaced() -> None:
    assert judge([connection(2, "d2")], connection(1, "d1"), limits=LIMITS).displaced


def test_the_older_of_two_connections_of_one_instance_is_overtaken() -> None:
    older, newer = connection(1, "d1", instance="app"), connection(2, "d1", instance="app")
    assert judge([older, newer], older, limits=LIMITS, resumed=True).overtaken
    assert judge([newer], older, limits=LIMITS).overtaken, "and thrown out since"


def at(gateway: str, number: int, hello_time: int, *, instance: str = "tab") -> LiveConnection:
    return LiveConnection(ConnectionKey(gateway, "b", number), 101, "d1", instance, PHONE, hello_time)


def test_a_connection_takes_its_place_before_those_that_came_after_it() -> None:
    """The next Hello of a client that gave this one up may come first, at the same gateway or at another."""
    for later in (at("g", 9, 0), at("other", 1, 1_002)):
        me = at("g", 5, 1_000)
        connections = joined([at("g", 3, 900), later], me)
        assert connections == [at("g", 3, 900), me, later]
        verdict = judge(connections, me, limits=LIMITS)
        assert (verdict.overtaken, verdict.victims) == (True, ())


def test_otherwise_it_is_the_last() -> None:
    me = at("g", 5, 1_000)
    for other in (
        at("g", 4, 2_000),
        at("other", 9, 1_000),
        at("other", 9, 0),
        at("g", 9, 2_000, instance="another tab"),
        at("other", 9, 1_001 + HELLO_LASTS_MS),
    ):
        assert joined([other], me) == [other, me]


def test_a_connection_joins_once() -> None:
    me = at("g", 5, 1_000)
    assert joined([me, at("g", 4, 900)], me) == [at("g", 4, 900), me]
