"""The sentences of an answer. They hold facts of the order, and no more."""

from collections.abc import Mapping

from storecrew.domain.texts import catalogue


def letter(language: str, name: str, *parts: str) -> str:
    """Return the whole answer: a greeting, what there is to say, and where a person is found."""
    texts = catalogue(__package__, language)
    greeting = texts["greeting"].format(name=f" {name}" if name else "")
    return "\n\n".join([greeting, *(part for part in parts if part), texts["closing"]])


def sentence(key: str, language: str, facts: Mapping[str, str]) -> str:
    """Return one sentence with its facts."""
    text: str = catalogue(__package__, language)["sentences"][key]
    return text.format_map(dict(facts))
