from pathlib import Path

import pytest
from pydantic import ValidationError

from im_infra.observability.settings import TracingSettings


def test_it_is_off_unless_told_where_to() -> None:
    assert TracingSettings().endpoint == ""
    assert not TracingSettings().follow_clients


@pytest.mark.parametrize("endpoint", ["127.0.0.1:4317", "grpc://collector", "http://", "http://collector/v1/traces"])
def test_an_endpoint_has_a_scheme_and_no_path(endpoint: str) -> None:
    with pytest.raises(ValidationError):
        TracingSettings(endpoint=endpoint)


def test_authorities_are_for_tls() -> None:
    assert TracingSettings(endpoint="https://collector:4317", ca=Path("ca.pem")).ca
    with pytest.raises(ValidationError):
        TracingSettings(endpoint="http://collector:4317", ca=Path("ca.pem"))
