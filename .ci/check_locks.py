"""Show that a new release of any package cannot break the set-up.

Collects what the locks pin, forges a newer release of each package beside it, and installs the
locks from that folder alone, with the commands that the Makefile uses. A set-up that looks past
its pins takes a forged release and fails.
"""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

UV_LOCK = "requirements-uv.lock"
LOCKS = (
    "requirements-build.lock",
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-docs.lock",
)
NEWER = "9999"


def run(*command: str | Path) -> str:
    """Run the command to its end and return what it printed."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def pins() -> set[tuple[str, str]]:
    """Return the name and version of every pin, those for other platforms included."""
    locks = "".join(Path(lock).read_text() for lock in (UV_LOCK, *LOCKS))
    return set(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", locks, re.MULTILINE))


def forge(folder: Path, name: str) -> None:
    """Write an empty newer release of the package into the folder."""
    module = name.replace("-", "_")
    info = f"{module}-{NEWER}.dist-info"
    with zipfile.ZipFile(folder / f"{module}-{NEWER}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {NEWER}")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any"
        )
        wheel.writestr(f"{info}/RECORD", "")


def main() -> None:
    """Install the locks from a folder in which every package has a newer release."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, venv = Path(scratch, "releases"), Path(scratch, "venv")
        local = ("--no-index", "--find-links", folder)
        for lock in (UV_LOCK, *LOCKS):
            pip = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
            run(*pip, "--require-hashes", "-r", lock, "-d", folder)
        for name in {name for name, _ in pins()}:
            forge(folder, name)
        run(sys.executable, "-m", "venv", venv)
        pip = (venv / "bin/pip", "install", "--quiet")
        run(*pip, *local, "--require-hashes", "-r", UV_LOCK)
        uv = (venv / "bin/uv", "pip")
        python = ("--python", venv / "bin/python", "--cache-dir", Path(scratch, "cache"))
        run(
            *uv,
            "sync",
            "--quiet",
            *python,
            *local,
            "--require-hashes",
            "--build-constraints",
            LOCKS[0],
            *LOCKS,
        )
        frozen = run(*uv, "freeze", *python)
    installed = {tuple(line.split("==")) for line in frozen.splitlines()}
    wrong = {pin for pin in installed - pins() if pin[0] != "pip"}
    if wrong or len(installed) < 100:
        sys.exit(f"not as pinned: {wrong}, {len(installed)} packages")
    print(f"{len(installed)} packages as pinned, though each has a newer release")


if __name__ == "__main__":
    main()
