"""`storecrew config`: the settings as they are, and what is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import FAILED, handle_errors, print_text, show_json
from storecrew.cli.session import read_origins, read_settings
from storecrew.domain.errors import InvalidSettings

app = typer.Typer(no_args_is_help=True, help="Check and show the settings.")


@app.command()
def check(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Name every unknown or wrong key of settings, agents and services; exit 1 if there is one.

    Example: storecrew config check --config storecrew.yaml
    """
    from storecrew.app.config_check import settings_problems  # costs what `--help` need not pay

    problems: Sequence[str] = ()
    try:
        problems = settings_problems(read_settings(data_dir, config))
    except InvalidSettings as error:
        problems = error.problems
    if as_json:
        show_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            typer.echo(f"error: {problem}", err=True)
        if not problems:
            print_text("The settings are fine.")
    if problems:
        raise typer.Exit(FAILED)


@app.command()
@handle_errors
def show(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show the settings as they add up, secrets masked, and where each line comes from.

    Example: STORECREW_API__RATE_LIMIT=0 storecrew config show
    """
    settings = read_settings(data_dir, config).model_dump(mode="json")
    origins = read_origins(data_dir, config)
    if as_json:
        show_json({**settings, "origins": origins})
        return
    for line in _lines(settings, origins):
        print_text(line)


def _lines(
    settings: Mapping[str, Any], origins: Mapping[str, str], path: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield the settings as YAML; a comment says where a line comes from if not by default."""
    import yaml  # not needed for `--help`

    for key, value in settings.items():
        inner = (*path, key)
        name = yaml.safe_dump(key, allow_unicode=True).removesuffix("\n").removesuffix("\n...")
        start = "  " * len(path) + name + ":"
        if isinstance(value, Mapping) and value:
            yield start
            yield from _lines(value, origins, inner)
            continue
        text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=1000)
        origin = origins.get(".".join(inner))
        shown = f"{start} {text.removesuffix(chr(10)).removesuffix(chr(10) + '...')}"
        yield f"{shown}  # {origin}" if origin else shown
