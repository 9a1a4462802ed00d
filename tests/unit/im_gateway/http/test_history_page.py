"""Pages of history."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from im_gateway.http.history_page import next_page_token, take_page_token
from im_infra import error_table
from im_infra.errors import ImError
from im_proto.v1.message_pb2 import Message, PullRequest, PullResponse


def test_a_token_leads_to_the_page_before() -> None:
    response = PullResponse(messages=[Message(seq=41), Message(seq=42)], more=True)
    token = next_page_token(PullRequest(limit=2), response)
    request = PullRequest(limit=2)
    take_page_token(request, token)
    assert (request.from_seq, request.to_seq) == (0, 40)


@pytest.mark.parametrize(
    ("request_", "response"),
    [
        (PullRequest(), PullResponse(messages=[Message(seq=5)])),
        (PullRequest(), PullResponse(more=True)),
        (PullRequest(), PullResponse(messages=[Message(seq=1)], more=True)),
        (PullRequest(from_seq=3), PullResponse(messages=[Message(seq=3)], more=True)),
    ],
)
def test_the_last_page_has_none(request_: PullRequest, response: PullResponse) -> None:
    assert next_page_token(request_, response) == ""


@given(st.text(min_size=1, max_size=40))
def test_an_invented_token_is_refused(token: str) -> None:
    with pytest.raises(ImError) as refused:
        take_page_token(PullRequest(), token)
    assert refused.value.reason is error_table.PAGE_TOKEN_INVALID
