"""`storecrew agents`: who is on duty, and a new one to start from."""

from pathlib import Path
from typing import Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import handle_errors, print_text, show_json, show_table
from storecrew.cli.session import with_plane
from storecrew.domain.plurals import plural

app = typer.Typer(no_args_is_help=True, help="See the agents on duty, and begin a new one.")


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List the agents on duty: what each is for, what it may propose, and how it is.

    Example: storecrew agents list
    """
    standings = with_plane(data_dir, lambda p: p.crew.statuses(), config=config)
    rows = [
        (
            s.agent.name,
            s.word,
            s.agent.purpose,
            ", ".join(sorted(a.__name__ for a in s.agent.allowed_actions)),
        )
        for s in standings
    ]
    if as_json:
        names = ("agent", "status", "purpose", "allowed_actions")
        show_json({"agents": [dict(zip(names, row, strict=True)) for row in rows]})
        return
    show_table(plural(len(rows), "agent"), ("agent", "status", "what for", "may propose"), rows)


@app.command()
@handle_errors
def new(
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and _.")],
    folder: Annotated[Path, typer.Option(help="Where to write it.")] = Path("my_agents"),
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write a small agent that works, with its test, to start from. Nothing is overwritten.

    Example: storecrew agents new scarcity_pricing --folder my_agents
    """
    from storecrew.app.scaffold import new_agent  # costs what `--help` need not pay

    made = new_agent(name, folder)
    if as_json:
        written = {"module": str(made.module), "test": str(made.test)}
        show_json(written | {"settings": made.settings})
        return
    print_text(f"wrote {made.module} and {made.test}")
    print_text(f"try it:  cd {folder} && python -m pytest test_{name}.py")
    print_text(f"on duty: PYTHONPATH={folder} and, in storecrew.yaml,\n\n{made.settings}")
