"""What customers want when they write: learned from examples, sure only where it may be."""

from storecrew.models.intents.model import IntentModel, IntentResult
from storecrew.models.intents.seed_examples import STARTER, starter_examples
from storecrew.models.intents.training import train

__all__ = ["STARTER", "IntentModel", "IntentResult", "starter_examples", "train"]
