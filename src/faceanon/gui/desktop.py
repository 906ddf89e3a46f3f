"""Opening a folder in the desktop's own file manager."""

import os
import subprocess
import sys
from pathlib import Path


def open_folder(folder: Path) -> None:
    """Show a folder.

    Raises:
        OSError: this desktop has nothing to show it with.
    """
    if sys.platform == "win32":
        os.startfile(folder)
        return
    opener = "open" if sys.platform == "darwin" else "xdg-open"
    subprocess.Popen([opener, folder])
