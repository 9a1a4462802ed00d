from im_infra.rpc.core.frame import Frame


def test_a_new_frame_says_nothing() -> None:
    frame = Frame()
    said = [frame.peer, frame.requests, frame.answers, frame.pushes, frame.acknowledged_push, frame.credit]
    assert not any([*said, frame.draining])
