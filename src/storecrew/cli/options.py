"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Folder of the databases.", show_default="as configured"),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file.", show_default="storecrew.yaml"),
]
Anyway = Annotated[bool, typer.Option("--anyway", help="Do it also below the margin floor.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Page = Annotated[int, typer.Option(min=1, help="Which page, newest first.")]
PerPage = Annotated[int, typer.Option(min=1, max=200, help="How many on a page.")]
Note = Annotated[str, typer.Option(help="Why, for the audit.")]
ProposalId = Annotated[str, typer.Argument(help="The proposal, as `<run>/<n>`.")]
