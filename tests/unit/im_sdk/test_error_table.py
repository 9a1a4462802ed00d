from im_proto.v1 import error_number_pb2
from im_sdk._error_table import KINDS, CloseCode, ErrorNumber, reconnects


def test_it_is_the_contracts_table() -> None:
    values = error_number_pb2.ErrorNumber.DESCRIPTOR.values
    numbers = {
        value.name.removeprefix("ERROR_NUMBER_"): value.number
        for value in values
        if value.number and not value.GetOptions().deprecated
    }
    assert {number.name: number.value for number in ErrorNumber} == numbers
    assert set(KINDS) == set(ErrorNumber)


def test_close_codes_say_whether_to_come_back() -> None:
    codes = {name.removeprefix("CLOSE_CODE_"): value for name, value in error_number_pb2.CloseCode.items() if value}
    assert {code.name: code.value for code in CloseCode} == codes
    assert [reconnects(code) for code in (1000, 1006, 4000, 4499, 4500, 4999, 5000)] == [
        True, True, True, True, False, False, True,
    ]  # fmt: skip
