"""How a service's process is started: its command, its environment, its own session."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from storecrew.domain.control.services import ServiceSpec
from storecrew.domain.errors import InvalidInput
from storecrew.supervisor.procfs import MARKER

PASSED_ON = ("PATH", "HOME", "LANG", "TZ")
"""What a service gets of storecrew's own environment; all else it must be given."""
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OWN_PREFIX = "STORECREW_"

Variables = Callable[[str], str | None]
"""Returns the value of a variable that a service's description names, or None."""


@dataclass(frozen=True, kw_only=True)
class LaunchSpec:
    """Everything that a process is started with."""

    command: Sequence[str]
    environment: Mapping[str, str]
    directory: Path | None
    user: str | None


@dataclass(frozen=True, kw_only=True)
class LaunchEnvironment:
    """What services are given of the world around storecrew."""

    folder: str
    """The name of the data folder in the marker."""
    environment: Mapping[str, str]
    """The variables that every service gets."""
    variables: Variables = lambda _name: None
    """Where `${NAME}` gets its value from."""

    @classmethod
    def of(
        cls, folder: str, environ: Mapping[str, str], variables: Variables
    ) -> "LaunchEnvironment":
        """Return the surroundings, with our own Python found where no other is."""
        kept = {name: environ[name] for name in PASSED_ON if name in environ}
        own = str(Path(sys.executable).parent)
        kept["PATH"] = os.pathsep.join(filter(None, (kept.get("PATH", os.defpath), own)))
        return cls(folder=folder, environment=kept, variables=variables)

    def expanded(self, field: str, text: str) -> str:
        """Return the text with its variables; raises `InvalidInput` for one that is not set."""
        return _VARIABLE.sub(lambda match: self._value(field, match[1]), text)

    def _value(self, field: str, name: str) -> str:
        value = self.variables(name)
        if value is None:
            raise InvalidInput(field, f"the variable {name} is not set, here or in .env")
        return value

    def launch(self, spec: ServiceSpec, nonce: str) -> LaunchSpec:
        """Return how this service is started; raises `InvalidInput` where it cannot be."""
        given = {
            name: self.expanded(f"environment.{name}", value)
            for name, value in spec.environment.items()
        }
        marker = {MARKER: f"{self.folder}/{spec.id}/{nonce}"}
        home = _home(spec.user)
        directory = spec.working_directory and self.expanded(
            "working_directory", spec.working_directory
        )
        return LaunchSpec(
            command=[self.expanded("executable", word) for word in words(spec.executable)],
            environment={**marker, **self.environment, **home, **given},
            directory=Path(directory).expanduser() if directory else None,
            user=spec.user,
        )

    def check(self, spec: ServiceSpec) -> None:
        """Raise `InvalidInput` for what would keep this service from ever being started."""
        if own := [n for n in spec.environment if n.upper().startswith(_OWN_PREFIX)]:
            raise InvalidInput(f"environment.{own[0]}", "is a name of storecrew's own")
        self.launch(spec, "")
        for field in ("health_endpoint", "api_endpoint"):
            self.expanded(field, getattr(spec, field) or "")


def words(executable: str) -> list[str]:
    """Return the program and its arguments; raises `InvalidInput` where quotes do not match."""
    try:
        found = shlex.split(executable)
    except ValueError as error:
        raise InvalidInput("executable", f"cannot be split into words: {error}") from None
    if not found:
        raise InvalidInput("executable", "is empty: name a program and its arguments")
    return found


def _home(user: str | None) -> dict[str, str]:
    if user is None:
        return {}
    import pwd  # Unix alone has it

    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise InvalidInput("user", f"{user!r} is no user of this machine") from None
    if os.geteuid() != 0:
        raise InvalidInput("user", "storecrew must run as root to start services as another user")
    return {"HOME": account.pw_dir, "USER": user, "LOGNAME": user}


def spawn(launch: LaunchSpec, output: int) -> "subprocess.Popen[bytes]":
    """Start the process in a session of its own, writing into `output`; raises `OSError`."""
    group, groups = _groups(launch.user)
    return subprocess.Popen(  # noqa: S603 - what an administrator registered; no shell
        launch.command,
        cwd=launch.directory,
        env=launch.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        user=launch.user,
        group=group,
        extra_groups=groups,
    )


def _groups(user: str | None) -> tuple[int | None, list[int] | None]:
    if user is None:
        return None, None
    import pwd  # Unix alone has it

    group = pwd.getpwnam(user).pw_gid
    return group, os.getgrouplist(user, group)
