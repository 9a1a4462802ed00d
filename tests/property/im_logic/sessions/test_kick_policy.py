"""The kick policy over any connections in any order."""

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from im_logic.sessions.kick import ConnectionKey, Limits, LiveConnection, judge

CLASS_OF = {"d1": 1, "d2": 1, "d3": 1, "d4": 4, "d5": 4, "d6": 5}
LIMITS = st.builds(
    Limits, instances=st.integers(1, 3), devices=st.dictionaries(st.sampled_from([1, 4, 5]), st.integers(0, 3))
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[LiveConnection]:
    devices = draw(st.lists(st.sampled_from(sorted(CLASS_OF)), min_size=1, max_size=20))
    return [
        LiveConnection(
            ConnectionKey("g", "b", number), int(device[1:]), device, draw(st.sampled_from("abc")), CLASS_OF[device]
        )
        for number, device in enumerate(devices)
    ]


@given(arrivals(), LIMITS, st.data())
def test_after_every_arrival_the_limits_hold_and_only_the_same_class_made_room(
    coming: list[LiveConnection], limits: Limits, data: st.DataObject
) -> None:
    present: list[LiveConnection] = []
    for me in coming:
        resumed = data.draw(st.booleans())
        verdict = judge([*present, me], me, limits=limits, resumed=resumed)
        assert not verdict.displaced
        assert not verdict.overtaken
        if verdict.too_many_instances:
            assert not verdict.victims
            continue
        assert all(victim.device_id == me.device_id for victim in verdict.replaced)
        assert all(victim.device_class == me.device_class for victim in verdict.kicked)
        assert all(victim.device_id != me.device_id for victim in verdict.kicked)
        assert not (resumed and verdict.kicked)
        leaving = {victim.key for victim in verdict.victims}
        present = [other for other in present if other.key not in leaving] + [me]
        instances = Counter((one.device_id, one.instance_id) for one in present)
        assert max(instances.values()) == 1
        devices = {one.device_id for one in present if one.device_class == me.device_class}
        limit = limits.devices.get(me.device_class, 0)
        if not resumed and limit:
            assert len(devices) <= limit
        assert judge(present, me, limits=limits, resumed=resumed).victims == (), "deciding twice changes nothing"


@given(arrivals(), LIMITS, st.randoms(use_true_random=False))
def test_whatever_order_decisions_are_carried_out_in_somebody_of_each_class_stays(
    coming: list[LiveConnection], limits: Limits, random: Random
) -> None:
    """All routes are written before anybody is thrown out, as when everybody connects at once."""
    present = list(coming)
    deciding = list(coming)
    random.shuffle(deciding)
    for me in deciding:
        verdict = judge(present, me, limits=limits)
        leaving = {victim.key for victim in verdict.victims}
        if verdict.displaced or verdict.overtaken or verdict.too_many_instances:
            leaving.add(me.key)
        present = [other for other in present if other.key not in leaving]
    assert present, "the newest of all is refused by nobody but its own full device"
    for device_class, limit in limits.devices.items():
        devices = {one.device_id for one in present if one.device_class == device_class}
        assert not limit or len(devices) <= limit
