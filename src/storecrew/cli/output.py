"""What the terminal shows: tables for people, JSON for programs, errors in one sentence."""

import functools
import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TextIO, TypeVar

import typer

from storecrew.domain.errors import InvalidInput, InvalidSettings, StorecrewError
from storecrew.domain.input_text import printable
from storecrew.domain.plurals import plural

if TYPE_CHECKING:
    from storecrew.domain.control.skipped_inputs import SkippedInput

P = ParamSpec("P")
T = TypeVar("T")

_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that JSON may hold as they are and a terminal obeys, or cannot print."""
FAILED = 1
"""Exit code when the work could not be done."""
MISUSED = 2
"""Exit code when the command, or where it should listen, is wrong."""


def handle_errors(command: Callable[P, T]) -> Callable[P, T]:
    """Report a deliberate error on stderr and exit with 1, in place of a traceback."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        _as_json.set(bool(kwargs.get("as_json")))
        try:
            return command(*args, **kwargs)
        except InvalidSettings as error:
            fail(*(f"settings: {problem}" for problem in error.problems))
        except InvalidInput as error:
            fail(f"{error.field}: {error.problem}")
        except StorecrewError as error:
            fail(str(error))

    return run


def print_text(text: str, *, file: TextIO | None = None) -> None:
    """Print text with what a terminal would obey shown as escapes."""
    print(printable(text), file=file, flush=True)


_as_json: ContextVar[bool] = ContextVar("as_json", default=False)
"""Whether the command that runs was asked for JSON."""


def fail(*sentences: str, code: int = FAILED) -> NoReturn:
    """Say what is wrong and end: on stderr, and with `--json` as one document on stdout."""
    if _as_json.get():
        show_json({"error": "; ".join(sentences), "errors": sentences, "exit_code": code})
    for sentence in sentences:
        print_text(f"error: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def show_json(value: Any) -> None:
    """Print one JSON document."""
    from storecrew.domain.codec import encode  # costs what `--help` need not pay

    text = json.dumps(encode(value), ensure_ascii=False, indent=2)
    print(_ESCAPED_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table under its title, the title alone where nothing stands in it."""
    from rich.console import Console  # Rich takes longer to import than `--help` may
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(printable(title)), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "proposal")  # it is copied
    for row in rows:
        table.add_row(*(escape(printable(str(cell))) for cell in row))
    console = Console()
    if table.row_count:
        console.print(table)
    else:
        console.print(escape(printable(title)))


def counted(total: int, one: str, page: int, per_page: int, *, many: str = "") -> str:
    """Return a list's title: how many there are, and which page this is where there are more."""
    pages = -(-total // per_page)
    return plural(total, one, many) + (f", page {page} of {pages}" if pages > 1 else "")


def show_fields(fields: dict[str, object]) -> None:
    """Print one thing, a field a line."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        print_text(f"{name:<{width}}  {value}")


def show_skipped(title: str, inputs: "Sequence[SkippedInput]") -> None:
    """Print a table of what came from outside and was not acted on."""
    rows = [
        (each.source, each.reason, each.count, f"{each.last_at:%Y-%m-%d %H:%M}", each.sample)
        for each in inputs
    ]
    show_table(title, ("by", "reason", "times", "last", "sample"), rows)


def show_lines(lines: Sequence[tuple[str, str]]) -> None:
    """Print headed lines; a heading that repeats is printed once."""
    width = max((len(heading) for heading, _ in lines), default=0)
    before = ""
    for heading, text in lines:
        print_text(f"{heading if heading != before else '':<{width}}  {text}")
        before = heading


Report = Callable[[str, int, int | None], None]


def _progress_lines() -> Report:
    """Return what prints a line as each kind of work begins, and one for each tenth of it."""
    tenths: dict[str, int] = {}

    def report(what: str, done: int, total: int | None) -> None:
        tenth = 10 * done // total if total else 0
        if what not in tenths:
            print(f"{what} ...", file=sys.stderr, flush=True)
        elif tenth > tenths[what]:
            print(f"{what}: {done} of {total}", file=sys.stderr, flush=True)
        tenths[what] = tenth

    return report


def progress_bar(*, quiet: bool, lines: bool = False) -> AbstractContextManager[Report]:
    """Return a context whose value draws how far the work is, on stderr.

    Where no terminal is watched it prints lines in place of a bar, if it is asked to.
    """
    if not quiet and lines and not sys.stderr.isatty():
        return nullcontext(_progress_lines())
    if quiet or not sys.stderr.isatty():
        return nullcontext(lambda _what, _done, _total: None)
    from storecrew.cli.progress import ProgressBar  # Rich takes longer to import than `--help` may

    return ProgressBar()


def show_result(as_json: bool, content: Any, sentence: str) -> None:
    """Print what a command did: as JSON, or as a sentence."""
    if as_json:
        show_json(content)
    else:
        print_text(sentence)
