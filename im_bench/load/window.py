"""The measured part of a drive: figures count what was meant to leave within it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Window:
    """Moments in `time.monotonic()` seconds, the same in every process of this machine."""

    begin: float
    """The load begins: ramp, then warm-up."""
    start: float
    """Measuring starts."""
    end: float
    """Measuring ends, and with it the load. A stop by hand moves it."""

    def __contains__(self, moment: float) -> bool:
        """Whether something meant to happen then is measured."""
        return self.start <= moment < self.end

    def cut(self, moment: float) -> None:
        """End at `moment` already."""
        self.end = min(self.end, max(moment, self.begin))
