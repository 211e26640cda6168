"""The peers' own environment: made on demand, pinned, apart from the engine's."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).parent
WORK = FOLDER / ".work"
REQUIREMENTS = FOLDER / "peers-requirements.txt"


def interpreter() -> Path:
    """The Python that has the peers; installs them when the pins are not the installed ones."""
    home = WORK / "peers"
    python = home / "bin" / "python"
    stamp = home / "installed.txt"
    wanted = REQUIREMENTS.read_text()
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    venv.create(home, with_pip=True, clear=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS],
        check=True,
        stdout=sys.stderr,
    )
    stamp.write_text(wanted)
    return python
