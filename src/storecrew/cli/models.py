"""The models from the shell: what will be sold, what to show, what was learnt and how it does."""

from typing import TYPE_CHECKING, Annotated

import typer

from storecrew.cli.control import read_moment
from storecrew.cli.options import ConfigFile, DataDir, Json
from storecrew.cli.output import (
    fail,
    handle_errors,
    print_text,
    progress_bar,
    show_fields,
    show_json,
    show_table,
)
from storecrew.cli.session import person, with_plane
from storecrew.domain.control.model_registry import ModelKind
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.app.bootstrap import ControlPlane
    from storecrew.domain.control.model_registry import ModelVersion
    from storecrew.learning.recommendations import RecommendedOffers
    from storecrew.learning.service import ModelService, TrainingStatus

app = typer.Typer(no_args_is_help=True, help="See what the crew has learnt, and have it learn.")

AsOf = Annotated[
    str, typer.Option(help="As if it were this day or ISO 8601 time.", show_default="now")
]
SkillName = Annotated[ModelKind, typer.Argument(help="What is learnt.")]


def register(program: typer.Typer) -> None:
    """Hang the commands on the program."""
    program.command()(forecast)
    program.command()(elasticity)
    program.command()(recommend)
    program.command("classify-intent")(classify_intent)
    program.command()(trends)
    program.command("extract-product")(extract_product)
    program.add_typer(app, name="models")


def model_service_of(plane: "ControlPlane", as_of: str) -> "ModelService":
    """Return the model service, as of that moment where one is given."""
    return plane.models.at(read_moment(as_of)) if as_of else plane.models


@handle_errors
def forecast(
    sku: Annotated[str, typer.Argument(help="The product's SKU.")],
    horizon: Annotated[int, typer.Option(min=1, max=90, help="Days ahead.")] = 14,
    warehouse: Annotated[str, typer.Option(help="One warehouse alone.", show_default="all")] = "",
    as_of: AsOf = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say how much of a product will be sold, day by day, and how such forecasts did.

    Example: storecrew forecast "Product A" --horizon 14
    """
    from storecrew.learning import predictions  # costs what `--help` need not pay

    found = with_plane(
        data_dir,
        lambda p: predictions.forecast(
            model_service_of(p, as_of), sku, horizon=horizon, warehouse=warehouse or None
        ),
    )
    if as_json:
        show_json(found)
        return
    if found.total is None:
        print_text(f"{sku}: no history; nothing was sold yet, so nothing can be forecast.")
        return
    columns = ("date", "expected", "1 in 10 below", "median", "1 in 10 above")
    bands = (found.quantiles[level] for level in ("0.1", "0.5", "0.9"))
    rows = list(zip(found.days, found.mean, *bands, strict=True))
    show_table(f"{sku}: {found.total:g} units expected in {horizon} days", columns, rows)
    of = f"version {found.version}" if found.version else "this product's sales alone"
    show_fields({"method": f"{found.method}, {of}", **found.error})


@handle_errors
def elasticity(
    sku: Annotated[str, typer.Argument(help="The product's SKU.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say how demand for a product answers to its price, and how sure that is.

    Example: storecrew elasticity "Product A"
    """
    from storecrew.learning import predictions  # costs what `--help` need not pay

    found = with_plane(data_dir, lambda p: predictions.elasticity(p.models, sku), config=config)
    if as_json:
        show_json(found)
        return
    print_text(f"a price 1 % higher sells {-found.mean:g} % less (± {found.error:g})")
    print_text(
        "from its own price moves" if found.own else "from what is usual: its price never moved"
    )


@handle_errors
def recommend(
    customer: Annotated[str, typer.Argument(help="Who.", show_default="nobody known")] = "",
    cart: Annotated[list[str] | None, typer.Option(help="An SKU in the cart; repeat it.")] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many.")] = 10,
    as_of: AsOf = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say what to show to a customer, or beside a cart, and why.

    Example: storecrew recommend --cart "Product A" --count 5
    """
    from storecrew.learning import recommendations  # costs what `--help` need not pay

    if cart and customer:
        fail("cart: give a customer or a cart, not both")

    async def ask(plane: "ControlPlane") -> "RecommendedOffers":
        service = model_service_of(plane, as_of)
        if cart:
            return await recommendations.for_cart(service, cart, count=count)
        return await recommendations.for_customer(service, customer, count=count)

    found = with_plane(data_dir, ask)
    if as_json:
        show_json(found)
        return
    rows = [(one.sku, one.name, one.price, one.reason) for one in found.items]
    show_table(
        plural(len(rows), "product to show", "products to show"),
        ("sku", "name", "price", "why"),
        rows,
    )


@handle_errors
def classify_intent(
    text: Annotated[str, typer.Argument(help="What a customer wrote.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Say what a customer wants, how sure that is, and whether it is known at all.

    Example: storecrew classify-intent "Where is my parcel?"
    """
    from storecrew.learning import predictions  # costs what `--help` need not pay

    found = with_plane(data_dir, lambda p: predictions.intent(p.models, text), config=config)
    if as_json:
        show_json(found)
        return
    word = "may be answered alone" if found.sure and found.known else "a person should read it"
    others = ", ".join(f"{name} {chance:.0%}" for name, chance in found.alternatives)
    show_fields({"intent": found.intent, "certainty": f"{found.probability:.1%}: {word}"})
    show_fields({"candidates": others, "version": found.version})


@handle_errors
def trends(
    recent: Annotated[int, typer.Option(min=1, max=60, help="Days that count as now.")] = 7,
    as_of: AsOf = "",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the products whose sales rose more than chance explains, surest first.

    Example: storecrew trends --recent 7
    """
    from storecrew.learning.trends import rising_products  # costs what `--help` need not pay

    found = with_plane(
        data_dir, lambda p: rising_products(model_service_of(p, as_of), recent=recent)
    )
    if as_json:
        show_json({"rising": found})
        return
    columns = ("sku", "name", "sold", "expected", "growth", "at least", "doubt")
    rows = [(r.sku, r.name, r.units, r.expected, r.growth, r.at_least, r.doubt) for r in found]
    show_table(plural(len(rows), "product rises", "products rise"), columns, rows)


@handle_errors
def extract_product(
    url: Annotated[str, typer.Argument(help="Address of the page.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Read a page of another shop, politely, and say which product it shows at which price.

    Example: storecrew extract-product https://shop.example.com/mugs/blue
    """
    found = with_plane(data_dir, lambda p: p.web.page(url), config=config)
    if as_json:
        show_json({"product": found})
        return
    if found is None:
        print_text("The page shows no product.")
        return
    show_fields({name: value for name, value in vars(found).items() if value is not None})


@app.command("list")
@handle_errors
def list_(data_dir: DataDir = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """List what is learnt, which version answers, and how it did since.

    Example: storecrew models list
    """
    courses = with_plane(data_dir, lambda p: p.models.courses(), config=config)
    if as_json:
        show_json({"models": courses})
        return
    columns = ("model", "version", "standing", "trained", "data to", "since then")
    show_table(plural(len(courses), "model"), columns, [_row(course) for course in courses])


def _row(course: "TrainingStatus") -> tuple[object, ...]:
    version = course.version
    if version is None:
        return (course.skill, "none yet", "", "", "", "")
    trained = f"{version.trained_at:%Y-%m-%d %H:%M}"
    accuracy = ", ".join(f"{name} {value:g}" for name, value in version.accuracy.items())
    return (
        course.skill,
        version.number,
        version.serving_status,
        trained,
        version.last or "",
        accuracy,
    )


@app.command()
@handle_errors
def train(
    skill: Annotated[
        ModelKind | None, typer.Argument(help="What is learnt.", show_default="all")
    ] = None,
    as_of: AsOf = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Learn from the shop's history up to now; the same history twice changes nothing.

    Example: storecrew models train demand --as-of 2011-11-01
    """
    skills = [skill] if skill else list(ModelKind)

    async def learn(plane: "ControlPlane") -> "list[ModelVersion]":
        service, made = model_service_of(plane, as_of), []
        with progress_bar(quiet=as_json) as report:
            for done, one in enumerate(skills):
                report(f"learning {one}", done, len(skills))
                made.append(await service.train(one, by=person()))
        return made

    made = with_plane(data_dir, learn, config=config)
    if as_json:
        show_json({"versions": made})
        return
    for version in made:
        print_text(
            f"{version.kind}: version {version.number}, {version.serving_status} ({version.reason})"
        )


@app.command()
@handle_errors
def show(
    skill: SkillName,
    number: Annotated[
        int | None, typer.Argument(min=1, help="Version.", show_default="the newest")
    ] = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show a version: its window, its data's fingerprint, what it rests on and how it did.

    Example: storecrew models show demand
    """

    async def find(plane: "ControlPlane") -> "ModelVersion | None":
        if number is not None:
            return await plane.models.book.version(skill, number)
        return await plane.models.book.newest(skill)

    found = with_plane(data_dir, find, config=config)
    if found is None:
        fail(f"{skill}: nothing learnt yet; see `storecrew models train {skill}`")
    if as_json:
        show_json(found)
        return
    show_fields(
        {
            "model": found.kind,
            "version": found.number,
            "standing": f"{found.serving_status} ({found.reason})",
            "trained at": f"{found.trained_at:%Y-%m-%d %H:%M:%S} UTC, {found.seconds:g} s of CPU",
            "data": f"{found.first} to {found.last}" if found.first else "phrases",
            "fingerprint": found.fingerprint,
            "size": f"{found.size:,} bytes",
            **found.facts,
            **{f"since then, {name}": value for name, value in found.accuracy.items()},
        }
    )
