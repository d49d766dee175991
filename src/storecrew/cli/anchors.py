"""Anchors of the audit from the shell."""

from pathlib import Path
from typing import Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.output import handle_errors, print_text, show_json
from storecrew.cli.session import with_plane


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(anchor)


@handle_errors
def anchor(
    file: Annotated[Path, typer.Argument(help="File to which the anchor is appended.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Sign the audit's head as it is now; `verify --anchor FILE` compares with it later.

    Example: storecrew anchor /mnt/backup/audit-anchors.jsonl
    """
    signed = with_plane(data_dir, lambda plane: plane.write_anchor(file))
    if as_json:
        show_json(signed)
    else:
        print_text(f"Audit row {signed.seq} is anchored in {file}.")
