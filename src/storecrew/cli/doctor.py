"""`storecrew doctor`: what stands between this shop and production."""

from typing import Annotated

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import FAILED, handle_errors, print_text, show_json
from storecrew.cli.session import read_settings, run_to_end


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(doctor)


@handle_errors
def doctor(
    profile: Annotated[
        str, typer.Option(help="laptop or server.", show_default="server once there is a key")
    ] = "",
    config: ConfigFile = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Go through the checklist beside the running server; exit 1 if anything fails.

    A laptop's list leaves out what matters where others call: keys, alerts, Sentry.

    Example: storecrew doctor
    """
    from storecrew.app.doctor import (
        Profile,
        examine,
    )  # the whole product, which `--help` need not pay
    from storecrew.app.shop_folder import require_shop
    from storecrew.domain.codec import decode

    settings = read_settings(data_dir, config)
    require_shop(settings)
    chosen = decode(Profile, profile, field="--profile") if profile else Profile.of(settings)
    findings = run_to_end(lambda: examine(settings, profile=chosen))
    if as_json:
        show_json(findings)
    else:
        for finding in findings:
            print_text(f"{'pass' if finding.ok else 'FAIL'}  {finding.name}: {finding.detail}")
            if not finding.ok:
                print_text(f"      {finding.fix}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)
