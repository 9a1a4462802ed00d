"""What an account's fields may be."""

from uuid import UUID

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_infra.ids.uuid7 import uuid7
from im_logic.accounts import rules
from im_logic.accounts.model import DeviceClass, UserKind
from im_proto.v1 import account_pb2

NOW = 1_800_000_000_000


@pytest.mark.parametrize(("text", "stored"), [("alice", "alice"), ("Alice_9", "alice_9"), ("a" * 32, "a" * 32)])
def test_a_handle_is_stored_in_lower_case(text: str, stored: str) -> None:
    assert rules.checked_handle(text) == stored


@pytest.mark.parametrize("text", ["", "ab", "a" * 33, "a-b", "al ice", "ålice", "\u212aelvin", "alice\n"], ids=ascii)
def test_a_handle_outside_the_alphabet_is_refused(text: str) -> None:
    with pytest.raises(ImError) as caught:
        rules.checked_handle(text)
    assert caught.value.reason is error_table.FIELD_INVALID
    assert rules.looked_up_handle(text) is None


def test_a_login_takes_the_handle_with_or_without_its_sign_in_any_case() -> None:
    assert rules.looked_up_handle("@Alice") == rules.looked_up_handle("alice") == "alice"


@pytest.mark.parametrize("length", [0, 7, 257])
def test_a_password_of_the_wrong_length_is_weak(length: int) -> None:
    with pytest.raises(ImError) as caught:
        rules.checked_password("x" * length)
    assert caught.value.reason is error_table.PASSWORD_WEAK


@pytest.mark.parametrize("length", [8, 256])
def test_a_password_of_the_right_length_passes(length: int) -> None:
    assert rules.checked_password("x" * length) == "x" * length


def test_a_password_is_the_same_however_its_letters_were_composed() -> None:
    assert rules.prepared_password("pa\u0308ssword") == rules.checked_password("p\u00e4ssword")


def test_a_display_name_loses_the_blanks_around_it() -> None:
    assert rules.checked_display_name("  Alice 👩‍🚀 ") == "Alice 👩‍🚀"
    assert rules.checked_display_name("   ") == ""


@pytest.mark.parametrize("text", ["x" * 65, "a\x00b", "a\nb", "a\u2028b", "a\u202eb"], ids=ascii)
def test_a_display_name_that_is_too_long_or_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(ImError) as caught:
        rules.checked_display_name(text)
    assert caught.value.reason is error_table.FIELD_INVALID


def test_an_installation_is_checked() -> None:
    assert rules.checked_installation("device-01", 1, " Phone ").device_name == "Phone"
    for device_id in ("short", "x" * 65, "has space"):
        with pytest.raises(ImError, match="device_id"):
            rules.checked_installation(device_id, 1, "")


@pytest.mark.parametrize("number", [0, 99, -1])
def test_an_unknown_device_class_counts_as_desktop(number: int) -> None:
    assert rules.checked_installation("device-01", number, "").device_class is DeviceClass.DESKTOP


def test_kinds_and_classes_have_the_contracts_numbers() -> None:
    classes = {name: number for name, number in account_pb2.DeviceClass.items() if number}
    assert classes == {f"DEVICE_CLASS_{one.name}": one.value for one in DeviceClass}
    kinds = {name: number for name, number in account_pb2.UserKind.items() if number}
    assert kinds == {f"USER_KIND_{one.name}": one.value for one in UserKind}


def test_an_operation_id_is_sixteen_bytes_or_nothing() -> None:
    fresh = uuid7(NOW, bytes(10))
    assert rules.checked_operation_id(str(fresh), now_ms=NOW) == fresh.bytes
    assert rules.checked_operation_id("", now_ms=NOW) == b""
    with pytest.raises(ImError, match="operation_id"):
        rules.checked_operation_id("not-a-uuid", now_ms=NOW)


def test_an_operation_id_from_before_what_is_remembered_is_too_old() -> None:
    old = uuid7(NOW - rules.OPERATION_MAX_AGE_MS - 1, bytes(10))
    with pytest.raises(ImError) as caught:
        rules.checked_operation_id(str(old), now_ms=NOW)
    assert caught.value.reason is error_table.TOO_OLD


def test_an_operation_id_of_another_version_has_no_age() -> None:
    random = UUID("6fa459ea-ee8a-4ca4-894e-db77e160355e")
    assert rules.checked_operation_id(str(random), now_ms=NOW) == random.bytes


def test_an_open_server_spends_no_invite() -> None:
    assert rules.spent_invite("open", "code") == ""


def test_a_server_by_invite_needs_one() -> None:
    assert rules.spent_invite("invite", " code ") == "code"
    for code in ("", "  ", "x" * 65, "é"):
        with pytest.raises(ImError) as caught:
            rules.spent_invite("invite", code)
        assert caught.value.reason is error_table.INVITE_INVALID


def test_a_closed_server_takes_nobody_even_with_an_invite() -> None:
    with pytest.raises(ImError) as caught:
        rules.spent_invite("closed", "code")
    assert caught.value.reason is error_table.REGISTRATION_CLOSED
