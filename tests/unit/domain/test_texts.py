"""Catalogues of texts: every language says the same things of the same facts."""

import re
from pathlib import Path

import pytest

from storecrew.domain.texts import LANGUAGES, catalogue, language_of

SOURCE = Path(__file__).parents[3] / "src"
PACKAGES = sorted(
    ".".join(path.relative_to(SOURCE).parts[:-1]) for path in SOURCE.rglob("storecrew/**/texts")
)


def leaves(texts, path=()):
    """Yield each text with its path."""
    for key, value in texts.items():
        if isinstance(value, str):
            yield (*path, key), value
        else:
            yield from leaves(value, (*path, key))


def test_there_are_catalogues():
    assert {"storecrew.agents.communications", "storecrew.agents.support", "storecrew.mail"} == set(
        PACKAGES
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("package", PACKAGES)
def test_every_language_has_every_text_with_the_same_facts(package, language):
    english = dict(leaves(catalogue(package, LANGUAGES[0])))
    found = dict(leaves(catalogue(package, language)))
    assert found.keys() == english.keys()
    assert all(text.strip() for text in found.values())
    for key, text in found.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


@pytest.mark.parametrize("package", PACKAGES)
def test_no_language_is_copied_from_another(package):
    texts = {language: dict(leaves(catalogue(package, language))) for language in LANGUAGES}
    long = [key for key, text in texts["en"].items() if len(text) > 30]
    assert long
    for key in long:
        assert len({texts[language][key] for language in LANGUAGES}) == len(LANGUAGES), key


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "de"), ("de-AT", "de"), ("fr_CA", "fr"), ("EN", "en"), ("xx", "en"), ("", "en")],
)
def test_a_locale_falls_back_to_english(locale, language):
    assert language_of(locale) == language
