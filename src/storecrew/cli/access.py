"""`storecrew keys` and `storecrew users`: who may come in, and as what."""

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import handle_errors, show_json, show_result, show_table
from storecrew.cli.session import person, with_access
from storecrew.domain.control.access import Role
from storecrew.domain.errors import InvalidInput
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.access import Access

keys = typer.Typer(no_args_is_help=True, help="Keys that programs show to come in.")
users = typer.Typer(no_args_is_help=True, help="People who log in with a password.")

Name = Annotated[str, typer.Argument(help="What the audit calls them.")]
RoleOption = Annotated[
    Role,
    typer.Option(help="viewer reads, operator also works, admin also lets others in."),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@keys.command("add")
@handle_errors
def add_key(
    name: Name,
    role: RoleOption,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key and print it. It is never shown again; only its hash is kept.

    From the first key on every caller needs one, also on this machine.

    Example: storecrew keys add dashboard --role viewer
    """
    token = with_access(data_dir, lambda a: a.add_key(name, role, by=person()), config=config)
    show_result(as_json, {"name": name, "role": role, "key": token}, token)
    typer.echo("From now on every caller needs a key, also on this machine.", err=True)


@keys.command("list")
@handle_errors
def list_keys(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the keys, also the revoked ones.

    Example: storecrew keys list
    """
    found = with_access(data_dir, lambda access: access.keys(), config=config)
    if as_json:
        show_json(list(found))
        return
    rows = [
        (key.name, key.role, _day(key.created_at), key.created_by, _day(key.revoked_at))
        for key in found
    ]
    show_table(plural(len(rows), "key"), ("name", "role", "made", "by", "revoked"), rows)


@keys.command()
@handle_errors
def revoke(
    name: Name, config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """Let a key open nothing from now on; a running server hears of it within a second.

    Example: storecrew keys revoke dashboard
    """
    with_access(data_dir, lambda access: access.revoke_key(name, by=person()), config=config)
    show_result(
        as_json, {"name": name, "status": "revoked"}, f"The key {name!r} opens nothing any more."
    )


@users.command("add")
@handle_errors
def add_user(
    name: Name,
    role: RoleOption,
    config: ConfigFile = None,
    data_dir: DataDir = None,
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Let a person log in; asks for the password.

    Example: storecrew users add anna --role operator
    """
    password = _password(name, from_stdin=password_stdin)

    async def add(access: "Access") -> None:
        await access.add_user(name, role, password, by=person())

    with_access(data_dir, add, config=config)
    show_result(as_json, {"name": name, "role": role}, f"{name!r} may log in as {role}.")


@users.command("list")
@handle_errors
def list_users(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """List everybody who may log in.

    Example: storecrew users list --json
    """
    found = with_access(data_dir, lambda access: access.users(), config=config)
    if as_json:
        show_json(list(found))
        return
    rows = [(user.name, user.role, _day(user.created_at), user.created_by) for user in found]
    show_table(plural(len(rows), "user"), ("name", "role", "added", "by"), rows)


@users.command()
@handle_errors
def remove(
    name: Name, config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False
) -> None:
    """End a person's sessions and let them log in no more.

    Example: storecrew users remove anna
    """
    with_access(data_dir, lambda access: access.remove_user(name, by=person()), config=config)
    show_result(as_json, {"name": name, "status": "removed"}, f"{name!r} may not log in any more.")


def _password(name: str, *, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    if not sys.stdin.isatty():
        raise InvalidInput("password", "there is no terminal to ask on; use --password-stdin")
    answer: str = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    return answer


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else ""
