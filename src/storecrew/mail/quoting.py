"""Leaves out what a mail repeats of the mail that it answers, and how it was signed."""

import re
from collections.abc import Sequence

_QUOTED = re.compile(
    r"^(-{2,} ?(original message|ursprüngliche nachricht|message d'origine|forwarded message)"
    r" ?-{2,}"
    r"|_{20,}"
    r"|on .{5,200} wrote:"
    r"|am .{5,200} schrieb .{0,200}:"
    r"|le .{5,200} a écrit ?:"
    r"|el .{5,200} escribió:"
    r"|il .{5,200} ha scritto:"
    r"|op .{5,200} schreef .{0,200}:"
    r"|(from|von|de) ?: .{0,120}@.{0,120})$",
    re.IGNORECASE,
)
"""Lines after which a mail repeats the one it answers."""
_WRAPPED = re.compile(r"^(on|am|le|el|il|op) .", re.IGNORECASE)
_MOST_WRAPPED = 3
"""Lines over which programs break the line that introduces a quote."""
_FOOTER = re.compile(
    r"^(sent (from|via|with) .{1,60}|get outlook for .{1,40}|von mein\w* .{1,60} gesendet"
    r"|gesendet (von|mit) .{1,60}|diese nachricht wurde von mein\w* .{1,60} gesendet"
    r"|envoyé (de|depuis|à partir de) .{1,60}|enviado desde .{1,60}|inviato da .{1,60}"
    r"|verzonden (vanaf|met) .{1,60}|skickat från .{1,60}|télécharger outlook .{1,40}"
    r"|outlook für .{1,40})$",
    re.IGNORECASE,
)
"""Lines that telephones put under each mail."""


def without_quotes(text: str) -> str:
    """Return what was written, without the mail that it answers below or above."""
    lines = text.split("\n")
    kept: list[str] = []
    for number, line in enumerate(lines):
        if _begins_quote(lines, number) or line.strip() == "--":  # a signature
            break
        if not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    while kept and (not kept[-1].strip() or _FOOTER.match(kept[-1].strip())):
        kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip() or text.strip()


def _begins_quote(lines: Sequence[str], number: int) -> bool:
    first = lines[number].strip()
    if _QUOTED.match(first):
        return True
    if not _WRAPPED.match(first):
        return False
    joined = first
    for line in lines[number + 1 : number + _MOST_WRAPPED]:
        if not line.strip():
            return False
        joined = f"{joined} {line.strip()}"
        if _QUOTED.match(joined):
            return True
    return False
