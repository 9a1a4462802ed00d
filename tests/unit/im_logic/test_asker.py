from im_logic.asker import Asker, Origin


def test_nobody_is_exempt_unless_said() -> None:
    assert not Asker(1, 2, Origin("gw", "b1", 3)).exempt
