"""`storecrew doctor`: what stands between this shop and production."""

import typer

from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import FAILED, handle_errors, print_text, show_json
from storecrew.cli.session import read_settings, run_to_end


def register(app: typer.Typer) -> None:
    """Hang the command on the program."""
    app.command()(doctor)


@handle_errors
def doctor(config: ConfigFile = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Go through the production checklist beside the running server; exit 1 if anything fails.

    Example: storecrew doctor
    """
    from storecrew.app.doctor import examine  # the whole product, which `--help` need not pay
    from storecrew.app.shop_folder import require_shop

    settings = read_settings(data_dir, config)
    require_shop(settings)
    findings = run_to_end(lambda: examine(settings))
    if as_json:
        show_json(findings)
    else:
        for finding in findings:
            print_text(f"{'pass' if finding.ok else 'FAIL'}  {finding.name}: {finding.detail}")
            if not finding.ok:
                print_text(f"      {finding.fix}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(FAILED)
