"""Where every command hangs. Importing it must stay cheap: `--help` should feel instant."""

from typing import Any

import typer
from typer.core import TyperGroup

from storecrew.cli import (
    access,
    agents,
    anchors,
    approvals,
    catalog,
    competitors,
    config,
    control,
    customers,
    demo,
    doctor,
    health,
    imports,
    incidents,
    init,
    inventory,
    mail,
    models,
    orders,
    payments,
    policy,
    promotions,
    purchasing,
    reports,
    serve,
    services,
    support,
    traces,
    workers,
)
from storecrew.cli.output import MISUSED, fail
from storecrew.domain.input_text import text_problem


class _CheckedArguments(TyperGroup):
    """Refuses arguments that hold what must not be stored or shown."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Check each argument of every command, before any is parsed."""
        for number, argument in enumerate(args, 1):
            if problem := text_problem(argument):
                fail(f"argument {number}: {problem}", code=MISUSED)
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_CheckedArguments,
    name="storecrew",
    help="A crew of agents that runs an online store, under its owner's control.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
demo.register(app)
serve.register(app)
workers.register(app)
services.register(app)
imports.register(app)
init.register(app)
control.register(app)
anchors.register(app)
doctor.register(app)
health.register(app)
traces.register(app)
models.register(app)
reports.register(app)
app.add_typer(agents.app, name="agents")
app.add_typer(approvals.app, name="approvals")
app.add_typer(orders.app, name="orders")
app.add_typer(catalog.app, name="products")
app.add_typer(inventory.app, name="stock")
app.add_typer(competitors.app, name="competitors")
app.add_typer(promotions.discounts, name="discounts")
app.add_typer(promotions.bundles, name="bundles")
app.add_typer(payments.app, name="payment-methods")
app.add_typer(customers.app, name="customers")
app.add_typer(purchasing.app, name="purchase-orders")
app.add_typer(mail.app, name="mail")
app.add_typer(support.app, name="tickets")
app.add_typer(incidents.app, name="incidents")
app.add_typer(incidents.goal, name="goal")
app.add_typer(config.app, name="config")
app.add_typer(policy.app, name="policy")
app.add_typer(access.keys, name="keys")
app.add_typer(access.users, name="users")


def main() -> None:
    """Run the command line."""
    app()
