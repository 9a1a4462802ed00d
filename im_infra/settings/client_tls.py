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

    def context(self) -> ssl.SSLContext | None:
        """What to speak TLS with; None: not at all. Only the authorities that are set are trusted. Make it once: it is slow.

        Raises:
            OSError: a file cannot be read, or is no certificate or key.
        """
        if not self.enabled:
            return None
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate is not None and self.private_key is not None:
            context.load_cert_chain(self.certificate, self.private_key)
        return context
