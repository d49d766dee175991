"""What the shop promises its customers."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from storecrew.agents.support.paragraphs import default_paragraph
from storecrew.domain.texts import LANGUAGES
from storecrew.sdk import AgentSettings

_Positive = Annotated[float, Field(gt=0)]
_Text = Annotated[str, Field(min_length=1, max_length=2_000)]


def _by_language(given: Any) -> Any:
    """Return a text that names no language as the one for all languages."""
    return {LANGUAGES[0]: given} if isinstance(given, str) else given


_Paragraph = Annotated[
    Mapping[Literal["en", "de", "fr"], _Text],
    BeforeValidator(_by_language),
]


class SupportSettings(AgentSettings):
    """Deadlines, and the paragraphs that answers rest on."""

    return_days: _Positive = 30
    """Days after delivery within which goods are taken back; as for order management."""
    delivery_days: _Positive = 7
    """Days from payment within which a parcel usually arrives; later ones are left to a person."""
    ships_to: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    """Countries and regions that are delivered to, as customers read them. None says nothing, and
    who asks for them reaches a person."""
    max_answers: Annotated[int, Field(ge=1)] = 1
    """Answers after which a customer who writes again reaches a person."""
    stalled_hours: _Positive = 1
    """Hours after which an open ticket without an answer is checked."""
    recheck_hours: _Positive = 73
    """Hours after which it is checked again."""
    paragraphs: Mapping[
        Literal["shipping", "returns", "payment", "privacy", "contact"], _Paragraph
    ] = {}
    """Paragraphs in the owner's words, by name and language; `contact` has no default."""

    def paragraph(self, name: str, locale: str) -> str:
        """Return a paragraph in this language, else in English; empty where there is none."""
        own: Mapping[str, str] = dict(self.paragraphs).get(name, {})  # type: ignore[call-overload]
        text = own.get(locale) or own.get(LANGUAGES[0]) or default_paragraph(name, locale)
        return text.replace("{return_days}", f"{self.return_days:g}").replace(
            "{delivery_days}", f"{self.delivery_days:g}"
        )
