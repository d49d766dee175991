"""The lines that a document tells its reader to type, run one after the other."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

from storecrew.testing.live.server import environment


def blocks(text: str, language: str = "") -> list[str]:
    """Return the fenced blocks of a language, those with none where none is named."""
    fenced = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [dedent(block) for name, block in fenced if name == language]


def run(*command: str | Path, **options) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_steps(steps: Sequence[str], folder: Path) -> str:
    """Run blocks of shell lines in one shell, with the project's programs on the path."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = environment({"PATH": path, "COLUMNS": "300"})
    return run("bash", "-e", "-c", "\n".join(steps), cwd=folder, env=env)
