import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from im_infra.settings.client_tls import ClientTlsSettings
from tests.support.certificates import make_authority


def test_a_certificate_comes_with_its_key() -> None:
    with pytest.raises(ValidationError, match="go together"):
        ClientTlsSettings(certificate=Path("c.pem"))
    with pytest.raises(ValidationError, match="go together"):
        ClientTlsSettings(private_key=Path("k.pem"))
    assert not ClientTlsSettings(certificate=Path("c.pem"), private_key=Path("k.pem")).enabled


def test_without_tls_there_is_no_context() -> None:
    assert ClientTlsSettings(ca=Path("no such file")).context() is None


def test_only_the_authorities_that_are_set_are_trusted(tmp_path: Path) -> None:
    """Not the system's besides."""
    authority = make_authority(tmp_path)
    context = ClientTlsSettings(enabled=True, ca=authority.certificate).context()
    assert context is not None
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_our_own_certificate_is_shown(tmp_path: Path) -> None:
    made = make_authority(tmp_path)
    assert ClientTlsSettings(enabled=True, certificate=made.certificate, private_key=made.key).context() is not None


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        ClientTlsSettings(enabled=True, ca=tmp_path / "none.pem").context()
