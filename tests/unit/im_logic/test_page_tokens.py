import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_infra import error_table
from im_infra.errors import ImError
from im_logic import page_tokens


def test_values_go_there_and_back() -> None:
    token = page_tokens.encode("sync", 5, ["1", "", "ü"])
    assert page_tokens.decode("sync", 5, token, count=3) == ["1", "", "ü"]


@pytest.mark.parametrize(("purpose", "user_id", "count"), [("list", 5, 2), ("sync", 6, 2), ("sync", 5, 3)])
def test_a_token_is_for_one_user_and_one_purpose(purpose: str, user_id: int, count: int) -> None:
    token = page_tokens.encode("sync", 5, ["1", "2"])
    with pytest.raises(ImError) as caught:
        page_tokens.decode(purpose, user_id, token, count=count)
    assert caught.value.reason is error_table.PAGE_TOKEN_INVALID


@given(st.text(max_size=60))
def test_whatever_comes_is_refused_and_nothing_else(token: str) -> None:
    with pytest.raises(ImError) as caught:
        page_tokens.decode("sync", 5, token, count=1)
    assert caught.value.reason is error_table.PAGE_TOKEN_INVALID


def test_a_token_of_any_length_is_refused() -> None:
    with pytest.raises(ImError):
        page_tokens.decode("sync", 5, "A" * 2_000, count=1)


def test_the_size_of_a_page() -> None:
    assert page_tokens.page_size(0, default=50, most=200) == 50
    assert page_tokens.page_size(200, default=50, most=200) == 200
    for asked in (-1, 201):
        with pytest.raises(ImError) as caught:
            page_tokens.page_size(asked, default=50, most=200)
        assert caught.value.reason is error_table.FIELD_INVALID
