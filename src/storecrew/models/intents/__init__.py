"""What customers want when they write: learned from examples, sure only where it may be."""

from storecrew.models.intents.model import IntentModel, Verdict
from storecrew.models.intents.starter import STARTER, starter_examples
from storecrew.models.intents.training import train

__all__ = ["STARTER", "IntentModel", "Verdict", "starter_examples", "train"]
