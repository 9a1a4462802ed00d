"""Errors as HTTP answers."""

from http import HTTPStatus

from im_gateway.http.problems import status_of
from im_infra import error_table
from im_infra.error_kind import Kind
from im_infra.error_table import REASONS


def test_every_reason_has_a_fitting_status() -> None:
    for reason in REASONS:
        status = status_of(reason)
        server_side = reason.kind in {Kind.UNAVAILABLE, Kind.INTERNAL} or reason is error_table.OVERLOADED
        assert (status >= 500) is server_side, reason.name


def test_who_you_are_is_401_and_what_you_may_is_403() -> None:
    assert status_of(error_table.TOKEN_EXPIRED) == HTTPStatus.UNAUTHORIZED
    assert status_of(error_table.PERMISSION_DENIED) == HTTPStatus.FORBIDDEN
    assert status_of(error_table.RATE_LIMITED) == HTTPStatus.TOO_MANY_REQUESTS
