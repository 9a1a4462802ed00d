from pathlib import Path

import pytest
from pydantic import ValidationError

from im_infra.settings.client_tls import ClientTlsSettings


def test_a_certificate_comes_with_its_key() -> None:
    with pytest.raises(ValidationError, match="go together"):
        ClientTlsSettings(certificate=Path("c.pem"))
    with pytest.raises(ValidationError, match="go together"):
        ClientTlsSettings(private_key=Path("k.pem"))
    assert not ClientTlsSettings(certificate=Path("c.pem"), private_key=Path("k.pem")).enabled


def test_the_authorities_are_ours_or_the_systems() -> None:
    assert ClientTlsSettings(ca=Path("ca.pem")).authorities() == "ca.pem"
    assert ClientTlsSettings().authorities() != "ca.pem"
