"""What the owner may say about the models: when they learn, from what, and for how long ahead."""

from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field


class ModelSettings(BaseModel):
    """What the crew knows of the shop's numbers: how it is learnt, and how often."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    enabled: bool = True
    """Whether models are trained by themselves. Without it they are when a person asks."""
    retrain_interval_hours: Annotated[float, Gt(0), Le(87_600)] = 24.0
    """Hours after which a model learns again: yesterday's sales are worth a night's work."""
    history_days: Annotated[int, Ge(1), Field(le=3650)] = 800
    """Days of history that are looked at: two seasons of everything, and a little more."""
    horizon_days: Annotated[int, Ge(1), Field(le=90)] = 28
    """Days ahead that demand is forecast for; longer ones are less sure and take longer."""
    forecaster: Literal["storecrew", "prophet", "statsforecast"] = "storecrew"
    """Who forecasts demand. Our own learns from all products together; the others look at each
    alone and need their library: `pip install storecrew[prophet]`."""
    refit_days: Annotated[int, Ge(1), Le(3_650)] = 7
    """Days for which what the demand model learnt is used on newer sales before it learns anew."""
    intent_examples_file: Path | None = None
    """YAML file with what customers write, listed under the intent that each shows; it is added to
    the phrases that come with the product."""
