"""Where every command hangs. Importing it must stay cheap: `--help` should feel instant."""

import typer

from storecrew.cli import (
    access,
    agents,
    approvals,
    config,
    crew,
    demo,
    doctor,
    health,
    importing,
    incidents,
    mail,
    models,
    offers,
    orders,
    partners,
    policy,
    products,
    reports,
    services,
    serving,
    stock,
    tickets,
    tracing,
    working,
)

app = typer.Typer(
    name="storecrew",
    help="A crew of agents that runs an online store, under its owner's control.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
demo.register(app)
serving.register(app)
working.register(app)
services.register(app)
importing.register(app)
crew.register(app)
doctor.register(app)
health.register(app)
tracing.register(app)
models.register(app)
reports.register(app)
app.add_typer(agents.app, name="agents")
app.add_typer(approvals.app, name="approvals")
app.add_typer(orders.app, name="orders")
app.add_typer(products.app, name="products")
app.add_typer(stock.app, name="stock")
app.add_typer(offers.app, name="offers")
app.add_typer(partners.customers, name="customers")
app.add_typer(partners.purchases, name="purchases")
app.add_typer(mail.app, name="mail")
app.add_typer(tickets.app, name="tickets")
app.add_typer(incidents.app, name="incidents")
app.add_typer(incidents.goal, name="goal")
app.add_typer(config.app, name="config")
app.add_typer(policy.app, name="policy")
app.add_typer(access.keys, name="key")
app.add_typer(access.users, name="user")


def main() -> None:
    """Run the command line."""
    app()
