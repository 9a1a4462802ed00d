"""Settings: one frozen tree per process, read once at its start.

Defaults < TOML file < `IM_*` environment < flags. It owns where values come from, how they are checked and how they are
described; what they mean is written beside each field, in the `settings.py` of the part that uses them. Nobody else
reads the environment.
"""

from im_infra.settings.describe import FieldDoc, describe
from im_infra.settings.load import SettingsError, load
from im_infra.settings.section import Section

__all__ = ["FieldDoc", "Section", "SettingsError", "describe", "load"]
