"""How we speak TLS to a server that is not ours."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from im_infra.settings.section import Section


class ClientTlsSettings(Section):
    """TLS to an engine; the engine's certificate is always checked, and so is its name."""

    enabled: bool = Field(default=False, description="Speak TLS, and refuse a server that does not.")
    ca: Path | None = Field(
        default=None, description="PEM file of the authorities that may sign the server; unset: the system's."
    )
    certificate: Path | None = Field(
        default=None, description="PEM file of our own certificate chain; unset: none is shown."
    )
    private_key: Path | None = Field(default=None, description="PEM file of its private key.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key go together")
        return self

    def authorities(self) -> str | None:
        """The file of the authorities: the one that is set, else the system's, if it has one."""
        if self.ca is not None:
            return str(self.ca)
        return ssl.get_default_verify_paths().cafile
