"""Hooks of the documentation's build: pages made from the program, and nothing from other hosts.

The command line, the settings and the HTTP API describe themselves; their pages are made at each
build and stand in no commit.
"""

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import MISSING, fields, is_dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_type_hints

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from storecrew.api.application import create_app
from storecrew.app.bootstrap import open_plane
from storecrew.app.control_plane import ProcessRole
from storecrew.app.crew import CREW
from storecrew.app.settings import AgentSection, Settings, load_settings
from storecrew.cli.main import app

_LEAVES_DOCS = re.compile(r"\[([^]]+)\]\((?:\.\./)+(?:src|tests|examples|README)[^)]*\)")
_LOADS = re.compile(r"<(?:script|link|img|iframe|source)\b[^>]*(?:src|href)=[\"']?https?://[^\s>]+")
_SETTING = ("key", "default", "meaning")
_NOT_OURS = re.compile(r"https://unpkg\.com/[^\"`]*")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that the program writes about itself."""
    document = asyncio.run(_api_document())
    pages = {"cli": cli_page(), "settings": settings_page(), "http-api": api_page(document)}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Keep the words of links to files that are in the repository and not on the site."""
    return _LEAVES_DOCS.sub(r"\1", markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Fail where a page loads something from another host."""
    site = Path(config.site_dir)
    for page in site.rglob("*.html"):
        if found := _LOADS.search(page.read_text("utf-8")):
            raise PluginError(f"{page.relative_to(site)} loads from another host: {found[0]}")
    for script in site.rglob("bundle.*.js"):  # scripts for diagrams, which no page has
        script.write_text(_NOT_OURS.sub("", script.read_text("utf-8")), "utf-8")


def cli_page() -> str:
    """Return the page of every command, with its arguments and options."""
    parts = ["# Command line", "`storecrew COMMAND --help` says the same."]
    for path, command in _commands(typer.main.get_command(app), ("storecrew",)):
        words = [f"{{{p.name}}}" for p in command.params if p.param_type_name == "argument"]
        text, _, example = inspect.cleandoc(command.help).partition("\nExample: ")
        rows = [(f"`{_flag(p)}`", p.help or "", _shown(p)) for p in command.params]
        parts += [
            f"## {' '.join(path)}",
            text.strip(),
            f"```\n{' '.join((*path, *words))} [options]\n```",
            _table(("", "meaning", "default"), rows),
            f"```\n{example.strip()}\n```",
        ]
    return _page(parts)


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _flag(parameter: Any) -> str:
    is_word = parameter.param_type_name == "argument"
    return parameter.name if is_word else ", ".join(parameter.opts)


def _shown(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    has_default = parameter.default not in (None, "", False, ())
    return f"`{parameter.default}`" if has_default else ""


def settings_page() -> str:
    """Return the page of every setting, from the model that checks them."""
    parts = [
        "# Settings",
        "Each stands in `storecrew.yaml`; the environment (`STORECREW_SECTION__KEY`) beats the "
        "file, and a flag beats both. `storecrew config check` names every unknown or wrong key. "
        "Those of an agent stand under `agents` and its name, beside `enabled`, `budget` and "
        "`source`.",
    ]
    own = [
        (("agents", agent.name), agent.settings) for agent in CREW if agent.settings.model_fields
    ]
    for path, model in [*_sections(Settings, ()), (("agents", "NAME"), AgentSection), *own]:
        meanings = _docstrings(model)
        rows = [
            (f"`{name}`", _default(each), meanings[name])
            for name, kind, each in _fields(model)
            if not _is_section(kind)
        ]
        about = (inspect.getdoc(model) or "").partition("\n")[0]
        parts += [f"## {'.'.join(path) or 'At the top'}", about, _table(_SETTING, rows)]
    return _page(parts)


def _sections(model: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, model
    for name, kind, _ in _fields(model):
        if _is_section(kind):
            yield from _sections(kind, (*path, name))


def _fields(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """Return name, type and declaration of each setting of a section."""
    if is_dataclass(model):
        kinds = get_type_hints(model)
        yield from ((each.name, kinds[each.name], each) for each in fields(model))
    else:
        yield from ((name, each.annotation, each) for name, each in model.model_fields.items())


def _is_section(kind: Any) -> bool:
    return inspect.isclass(kind) and (is_dataclass(kind) or issubclass(kind, BaseModel))


def _docstrings(model: Any) -> dict[str, str]:
    """Return the sentence under each field, also of inherited ones: there its meaning stands."""
    found: dict[str, str] = {}
    for each in model.__mro__:
        if not each.__module__.startswith("storecrew."):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(each))).body[0].body  # type: ignore[attr-defined]
        for field, text in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                found[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    return found


def _default(each: Any) -> str:
    value = each.default
    if value in (MISSING, PydanticUndefined):
        made = each.default_factory
        return "" if made in (None, MISSING) or value is PydanticUndefined else f"`{made()}`"
    if value is None or isinstance(value, SecretStr):
        return "none"
    if isinstance(value, tuple):
        value = ", ".join(value)
    return f"`{value}`" if str(value) else "empty"


async def _api_document() -> dict[str, Any]:
    """Return the OpenAPI document of a plane in an empty folder."""
    with TemporaryDirectory() as folder:
        settings = load_settings(environ={}, directory=Path(folder), flags=_places(folder))
        async with open_plane(settings, duty=ProcessRole.API) as plane:
            served = create_app(plane, settings)
            document = served.openapi()
            await served.state.refusals.close()
    return document


def _places(folder: str) -> dict[str, Any]:
    return {"orchestrator": {name: f"{folder}/{name}" for name in ("data_dir", "log_dir")}}


def api_page(document: dict[str, Any]) -> str:
    """Return the page of every endpoint, from the OpenAPI document."""
    parts = [
        "# HTTP API",
        "A running server answers `GET /openapi.json` with the whole document, field by field.",
    ]
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, each in methods.items():
            tag = (each.get("tags") or ["other"])[0]
            by_tag.setdefault(tag, []).append((method.upper(), path, each))
    for tag, endpoints in sorted(by_tag.items()):
        parts.append(f"## {tag}")
        rows = [
            (f"`{method} {path}`", each.get("summary", ""), _inputs(each), _answers(each))
            for method, path, each in endpoints
        ]
        parts.append(_table(("", "what it does", "takes", "answers"), rows))
    return _page(parts)


def _inputs(each: dict[str, Any]) -> str:
    named = [f"`{p['name']}`" for p in each.get("parameters", ()) if p["in"] != "header"]
    content = each.get("requestBody", {}).get("content", {})
    bodies = [f"`{_name(form.get('schema', {}))}`" for form in content.values()]
    return ", ".join((*named, *bodies))


def _answers(each: dict[str, Any]) -> str:
    good = {code: r for code, r in each["responses"].items() if code.startswith("2")}
    found = []
    for code, response in good.items():
        names = [_name(form.get("schema", {})) for form in response.get("content", {}).values()]
        found.append(" ".join((code, *(f"`{name}`" for name in names if name))))
    return ", ".join(found)


def _name(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        return f"{_name(schema['items'])}[]"
    options = [_name(each) for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return " or ".join(options) or str(schema.get("title") or schema.get("type") or "JSON")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    clean = ([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)
    lines = (head, ["---"] * len(head), *clean)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _page(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
