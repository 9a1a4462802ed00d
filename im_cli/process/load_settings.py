"""Reading a process's settings: the only place where the command line looks at the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from im_cli.exit_code import CommandError, ExitCode
from im_cli.process.settings import ProcessSettings
from im_infra.settings import SettingsError, load

OF_THE_COMMAND: Final = frozenset(
    {"IM_CLUSTER_DIR", "IM_DATA_DIR", "IM_CHAT_PASSWORD", "IM_CHAT_STATE_DIR", "IM_CHAT_URL"}
)
"""Variables that are flags of `im` itself, not settings."""


def load_settings(
    config: Path | None, overrides: Mapping[str, Any], *, variables: Mapping[str, str] | None = None
) -> ProcessSettings:
    """Defaults < TOML < environment < flags.

    Args:
        config: the TOML file.
        overrides: by dotted name, from flags.
        variables: `IM_…` variables that a process gets besides ours.

    Raises:
        CommandError: USAGE, with every problem.
    """
    environment = {name: value for name, value in os.environ.items() if name not in OF_THE_COMMAND}  # noqa: TID251 - the one place
    environment |= variables or {}
    try:
        return load(ProcessSettings, toml=config, environment=environment, overrides=overrides)
    except SettingsError as error:
        told = "\n    ".join(error.problems)
        raise CommandError(f"the settings cannot be used\n    {told}", code=ExitCode.USAGE) from error
