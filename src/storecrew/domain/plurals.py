"""Numbers of things in English text."""


def plural(count: int, one: str, many: str = "") -> str:
    """Return the count with its noun: `1 order`, `2 orders`; `many` is an irregular plural."""
    return f"{count} {one if count == 1 else many or one + 's'}"
