"""What a browser makes of a page."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CHROMIUM: Final = shutil.which("chromium")
NARROWEST: Final = 500
"""Pixels of the narrowest window that Chromium makes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page in a window."""

    inner: int
    """Pixels that the window has for it."""
    scrolled: int
    """Pixels that it takes."""
    dom: str

    def figure(self, name: str) -> str:
        """What is within the figure of a plot."""
        return self.dom.split(f'data-plot="{name}"')[1].split("</figure>")[0]


def show(page: str, folder: Path, *, width: int) -> Shown:
    """Open a page whose scripts may end with the title they like, in a window so wide."""
    place = folder / "page.html"
    told = "<script>document.title = [innerWidth, document.documentElement.scrollWidth].join()</script></body>"
    place.write_text(page.replace("</body>", told), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command = [str(CHROMIUM), *flags, f"--window-size={width},900", "--dump-dom", place.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    measured = re.search(r"<title>(\d+),(\d+)</title>", done.stdout)
    assert measured is not None, done.stdout[:500]
    return Shown(int(measured[1]), int(measured[2]), done.stdout)
