from im_infra.errors import ImError
from im_infra.rpc.core.violation import ProtocolViolationError


def test_it_never_reaches_a_caller_as_an_answer() -> None:
    assert not issubclass(ProtocolViolationError, ImError)
