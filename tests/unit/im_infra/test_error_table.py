"""The generated table is one: numbers and names are unique, ranges mean what they say."""

import re
from pathlib import Path

import im_infra
from im_infra.error_table import BY_NUMBER, REASONS, CloseCode
from im_infra.errors import ImError
from im_proto.v1.error_number_pb2 import CloseCode as ProtoCloseCode
from im_proto.v1.error_number_pb2 import ErrorNumber
from im_sdk import _error_table as sdk

SERVICES = ("im_gateway", "im_logic", "im_repo", "im_task", "im_infra")


def test_servers_sdk_and_proto_have_the_same_errors() -> None:
    servers = {reason.name: reason.number for reason in REASONS}
    values = [value for value in ErrorNumber.DESCRIPTOR.values if value.number and not value.GetOptions().deprecated]
    proto = {value.name.removeprefix("ERROR_NUMBER_"): value.number for value in values}
    assert servers == proto == {member.name: member.value for member in sdk.ErrorNumber}
    assert len(BY_NUMBER) == len(REASONS)
    assert {reason.number for reason in REASONS if reason.retryable} == set(sdk.RETRYABLE)


def test_servers_sdk_and_proto_have_the_same_close_codes_and_the_range_says_whether_to_reconnect() -> None:
    servers = {code.name: code.value for code in CloseCode}
    proto = {name.removeprefix("CLOSE_CODE_"): number for name, number in ProtoCloseCode.items() if number}
    assert servers == proto == {member.name: member.value for member in sdk.CloseCode}
    assert {code for code in CloseCode if sdk.reconnects(code)} == {code for code in CloseCode if code < 4500}


NOT_YET = {"BLOCKED"}
"""Of what comes with contacts."""


def test_every_error_of_the_table_is_answered_by_somebody() -> None:
    """A row that no code raises would be documented for nothing."""
    root = Path(im_infra.__file__).parent.parent
    sources = [path for service in SERVICES for path in (root / service).rglob("*.py") if path.name != "error_table.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    raised = set(re.findall(r"\berror_table\.([A-Z_]+)\b", text))
    assert {reason.name for reason in REASONS} - raised == NOT_YET


def test_an_error_is_made_of_every_row() -> None:
    assert all(ImError(reason).message for reason in REASONS)
