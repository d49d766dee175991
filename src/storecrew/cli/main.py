"""Where every command hangs. Importing it must stay cheap: `--help` should feel instant."""

import typer

from storecrew.cli import approvals, config, crew, demo, importing, orders, products, serving, stock

app = typer.Typer(
    name="storecrew",
    help="A crew of agents that runs an online store, under its owner's control.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
demo.register(app)
serving.register(app)
importing.register(app)
crew.register(app)
app.add_typer(approvals.app, name="approvals")
app.add_typer(orders.app, name="orders")
app.add_typer(products.app, name="products")
app.add_typer(stock.app, name="stock")
app.add_typer(config.app, name="config")


def main() -> None:
    """Run the command line."""
    app()
