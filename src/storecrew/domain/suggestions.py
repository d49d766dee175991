"""What may have been meant by a name that is not known."""

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str], otherwise: str = "", *, cutoff: float = 0.6) -> str:
    """Return a question with the known name that is closest, or `otherwise` where none is."""
    close = get_close_matches(name, sorted(known), 1, cutoff=cutoff)
    return f"did you mean {close[0]!r}?" if close else otherwise
