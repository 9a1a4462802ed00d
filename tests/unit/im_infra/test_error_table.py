"""The generated table is one: numbers and names are unique, ranges mean what they say."""

from im_infra.error_table import BY_NUMBER, REASONS, CloseCode
from im_infra.errors import ImError
from im_proto.v1.error_number_pb2 import CloseCode as ProtoCloseCode
from im_proto.v1.error_number_pb2 import ErrorNumber
from im_sdk import _error_table as sdk


def test_servers_sdk_and_proto_have_the_same_errors() -> None:
    servers = {reason.name: reason.number for reason in REASONS}
    proto = {name.removeprefix("ERROR_NUMBER_"): number for name, number in ErrorNumber.items() if number}
    assert servers == proto == {member.name: member.value for member in sdk.ErrorNumber}
    assert len(BY_NUMBER) == len(REASONS)
    assert {reason.number for reason in REASONS if reason.retryable} == set(sdk.RETRYABLE)


def test_servers_sdk_and_proto_have_the_same_close_codes_and_the_range_says_whether_to_reconnect() -> None:
    servers = {code.name: code.value for code in CloseCode}
    proto = {name.removeprefix("CLOSE_CODE_"): number for name, number in ProtoCloseCode.items() if number}
    assert servers == proto == {member.name: member.value for member in sdk.CloseCode}
    assert {code for code in CloseCode if sdk.reconnects(code)} == {code for code in CloseCode if code < 4500}


def test_an_error_is_made_of_every_row() -> None:
    assert all(ImError(reason).message for reason in REASONS)
