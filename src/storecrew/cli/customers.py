"""`storecrew customers`: who buys, and what they agreed to."""

from typing import Annotated

import typer

from storecrew.cli.options import DataDir, Json
from storecrew.cli.orders import Key, apply
from storecrew.cli.output import handle_errors, show_json, show_result, show_table
from storecrew.cli.session import with_books
from storecrew.domain.plurals import plural

app = typer.Typer(no_args_is_help=True, help="Enter customers, and what they agreed to.")


CustomerId = Annotated[str, typer.Argument(help="The customer's id.")]


@app.command("list")
@handle_errors
def list_customers(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List every customer.

    Example: storecrew customers list
    """
    found = with_books(data_dir, lambda p: p.store.customers())
    if as_json:
        show_json(found)
        return
    rows = [
        (c.id, c.name, c.email or "", c.locale, "yes" if c.marketing_consent else "no")
        for c in found
    ]
    show_table(plural(len(rows), "customer"), ("id", "name", "mail", "language", "marketing"), rows)


@app.command("set")
@handle_errors
def set_customer(  # noqa: PLR0913 - options are read by name, like a form
    customer: CustomerId,
    name: Annotated[
        str | None, typer.Option(help="As letters address them.", show_default="as it is")
    ] = None,
    email: Annotated[
        str | None,
        typer.Option(help='Where letters go; "" takes it away.', show_default="as it is"),
    ] = None,
    locale: Annotated[
        str | None,
        typer.Option(help="Language, such as de.", show_default="as it is, at first en"),
    ] = None,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Enter a customer, or change what you name of one; the rest stays as it is.

    Example: storecrew customers set anna --name Anna --email anna@example.com --locale de
    """
    from storecrew.domain.shop.customers import UpsertCustomer

    action = UpsertCustomer(customer=customer, name=name, email=email, locale=locale)
    after = apply(action, data_dir, key).after
    show_result(as_json, after, f"{customer} is {after['name']}, {after['email'] or 'no address'}.")


@app.command()
@handle_errors
def consent(
    customer: CustomerId,
    withdrawn: Annotated[bool, typer.Option("--withdrawn", help="Agrees no longer.")] = False,
    key: Key = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Record that a customer agrees to marketing, or with --withdrawn no longer does.

    Example: storecrew customers consent anna
    """
    from storecrew.domain.shop.customers import SetConsent

    apply(SetConsent(customer=customer, marketing=not withdrawn), data_dir, key)
    show_result(
        as_json,
        {"customer": customer, "marketing": not withdrawn},
        f"{customer} {'agrees no longer' if withdrawn else 'agrees'} to marketing.",
    )
