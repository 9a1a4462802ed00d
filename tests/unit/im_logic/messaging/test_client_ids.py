import os

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.ids.uuid7 import uuid7
from im_logic.messaging import client_ids

NOW = 1_800_000_000_000


def test_a_uuid7_goes_there_and_back() -> None:
    made = uuid7(NOW, os.urandom(10))
    assert client_ids.parse(str(made), "x") == made.bytes
    assert client_ids.parse(str(made).upper(), "x") == made.bytes
    assert client_ids.to_text(made.bytes) == str(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 36,
        "018bcfe568007000800000000000000",
        "018bcfe5-6800-4000-8000-000000000000",
        "018bcfe5-6800-7000-c000-000000000000",
        "018bcfe5-6800-7000-8000-00000000000g",
        "018bcfe5-6800-7000-8000-0000 0000000",
        "018bcfe56-800-7000-8000-000000000000",
    ],
)
def test_anything_else_is_refused_by_the_fields_name(text: str) -> None:
    with pytest.raises(ImError, match="operation_id") as caught:
        client_ids.parse(text, "operation_id")
    assert caught.value.reason is error_table.FIELD_INVALID


def test_an_id_may_be_fourteen_days_old_and_no_older() -> None:
    client_ids.check_age(uuid7(NOW - client_ids.MAX_AGE_MS, os.urandom(10)).bytes, NOW)
    with pytest.raises(ImError) as caught:
        client_ids.check_age(uuid7(NOW - client_ids.MAX_AGE_MS - 1, os.urandom(10)).bytes, NOW)
    assert caught.value.reason is error_table.TOO_OLD
