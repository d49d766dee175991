"""What the owner lets product research read."""

from typing import Annotated

from pydantic import Field

from storecrew.sdk import AgentSettings


class ResearchSettings(AgentSettings):
    """Where product research looks, and how sure it has to be."""

    feeds: tuple[str, ...] = ()
    """Addresses of RSS or Atom feeds about what the shop sells; without any, only what the shop's
    own customers search for is analysed."""
    pages: tuple[str, ...] = ()
    """Addresses of product pages of competitors; each that surely sells a product of the shop is
    proposed to be tracked."""
    recent_days: Annotated[int, Field(ge=1)] = 7
    """Days that are compared with the weeks before; whole weeks cancel weekdays."""
    min_growth: Annotated[float, Field(ge=1)] = 1.5
    """Growth that must be exceeded with a chance of nine in ten before a product is suggested."""
    max_suggestions: Annotated[int, Field(ge=0)] = 3
    """Suggestions of one run at most, the surest first: an owner reads a few."""
    max_pages: Annotated[int, Field(ge=1)] = 40
    """Pages read in one run at most; a host is asked once in two seconds."""
