"""YAML files: the one place that reads them, and turns whatever goes wrong into our error."""

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from storecrew.domain.errors import InvalidSettings

MAX_BYTES = 1_000_000
"""Largest file that is read: thousands of settings."""
_MAX_VALUES = 50_000
"""Most values in a file, those that aliases repeat included."""
_NUMBER = re.compile(r"(?i)(?!-0$)-?(0|[1-9][0-9]*)(\.[0-9]*)?(e[-+]?[0-9]+)?|[-+]?\.(inf|nan)")
"""Numbers as people write them. YAML also takes `0755` (octal), `20:00` (base 60), `1_000` and
`+49` for numbers; they stay text, so that what is written is not lost."""


class _Loader(yaml.SafeLoader):
    """YAML without dates, numbers that people do not mean as such, and keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem=_BRACES, problem_mark=key_node.start_mark)
            if key in seen:
                problem = f"{key}: stands there twice; keep one"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> int | float | str:
        """Read a number, and leave what is not written as one as text."""
        if not _NUMBER.fullmatch(node.value):
            return str(node.value)
        if node.tag.endswith(":int"):
            return self.construct_yaml_int(node)
        return self.construct_yaml_float(node)

    def construct_text(self, node: yaml.ScalarNode) -> str:
        """Return what stands there, as it is written."""
        return str(self.construct_scalar(node))


_BRACES = "a key cannot be a list or mapping; put text that holds {{ … }} in quotes"
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.construct_text)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping that the file holds; `InvalidSettings` names the file, line and fix."""
    try:
        content = _load(path)
    except InvalidSettings:
        raise
    except OSError as error:
        raise InvalidSettings([f"{path}: cannot be read: {error.strerror}"]) from error
    except UnicodeError as error:
        raise InvalidSettings([f"{path}: is not UTF-8 text: {error}"]) from error
    except RecursionError as error:
        raise InvalidSettings([f"{path}: is not valid YAML: nested too deeply"]) from error
    except Exception as error:  # whatever the parser meets in a file
        raise InvalidSettings([_sentence(path, error)]) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidSettings([f"{path}: must be a mapping of sections such as `api:`"])
    return {str(section): value for section, value in content.items() if value is not None}


def _load(path: Path) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise InvalidSettings([f"{path}: has more than {MAX_BYTES:,} bytes"])
    content = yaml.load(path.read_text("utf-8-sig"), _Loader)  # noqa: S506 - a SafeLoader underneath
    _check(path, content)
    return content


def _check(path: Path, content: Any) -> None:
    """Refuse what aliases blow up, and text that no database or mail can hold."""
    waiting: list[tuple[str, Any]] = [("", content)]
    for _ in range(_MAX_VALUES):
        if not waiting:
            return
        key, value = waiting.pop()
        if isinstance(value, str) and (problem := _bad_text(value)):
            raise InvalidSettings([f"{path}: {key}: {problem}"])
        if isinstance(value, Mapping):
            waiting += [(f"{key}.{name}".lstrip("."), each) for name, each in value.items()]
            waiting += [(key, name) for name in value]
        elif isinstance(value, list | set | tuple):
            waiting += [(f"{key}.{place}", each) for place, each in enumerate(value)]
    raise InvalidSettings([f"{path}: holds more than {_MAX_VALUES:,} values"])


def _bad_text(text: str) -> str | None:
    if "\0" in text:
        return "holds a NUL character"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "holds half a character (a lone surrogate)"
    return None


def _sentence(path: Path, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    place = f"line {mark.line + 1}: " if mark else ""
    return f"{path}: is not valid YAML: {place}{' '.join(str(what).split())}"
