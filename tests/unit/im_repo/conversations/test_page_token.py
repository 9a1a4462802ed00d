"""Tokens of pages of heads."""

import pytest

from im_infra import error_table
from im_infra.errors import ImError
from im_repo.conversations.page_token import PageToken


def test_a_token_tells_what_it_was_made_of() -> None:
    token = PageToken(last_time=5, conversation_id=2**62, now_time=7, clock_generation=0)
    assert PageToken.decode(token.encode()) == token


@pytest.mark.parametrize(
    "text", ["1", "1.2.3", "1.2.3.x", "1.2.3.-4", "1.2.3.4.5", "...", "1.2.3.²", "9" * 30 + ".1.1.1"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ImError) as caught:
        PageToken.decode(text)
    assert caught.value.reason is error_table.PAGE_TOKEN_INVALID
