"""`storecrew config`: the settings as they are, and what is wrong with them."""

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import FAILED, handle_errors, print_text, show_json
from storecrew.cli.session import read_settings
from storecrew.domain.errors import InvalidSettings

app = typer.Typer(no_args_is_help=True, help="Check and show the settings.")


@app.command()
def check(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Name every unknown or wrong key of settings, agents and services; exit 1 if there is one.

    Example: storecrew config check --config storecrew.yaml
    """
    from storecrew.app.agent_settings import configured_agents  # costs what `--help` need not pay
    from storecrew.app.service_files import read_services

    problems: tuple[str, ...] = ()
    try:
        settings = read_settings(data_dir, config)
        configured_agents(settings)
        read_services(settings.orchestrator.services_dir)
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
    """Show the settings as they add up, secrets masked.

    Example: STORECREW_API__RATE_LIMIT=0 storecrew config show
    """
    settings = read_settings(data_dir, config).model_dump(mode="json")
    if as_json:
        show_json(settings)
        return
    import yaml  # not needed for `--help`

    print_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).rstrip("\n"))
