"""Catalogues of what customers read: `texts/LANGUAGE.toml` in the folder of a package."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "de", "fr")
"""Languages that every catalogue has; the first stands in for all others."""


@cache
def catalogue(package: str, language: str) -> Mapping[str, Any]:
    """Return the texts of a package in one of the languages; `{name}` marks what is filled in."""
    file = files(package) / "texts" / f"{language}.toml"
    return tomllib.loads(file.read_text("utf-8"))


def language_of(locale: str) -> str:
    """Return the language of a locale such as `de-AT`; English where there are no texts in it."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]
