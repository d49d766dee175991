"""The model service under the settings."""

from storecrew.app.database_urls import database_url
from storecrew.app.intent_files import read_phrases
from storecrew.app.settings import Settings
from storecrew.domain.ports.clock import Clock
from storecrew.journal import SqlJournal
from storecrew.journal.model_registry import SqlModelRegistry
from storecrew.learning.service import Learn, ModelService, learn_apart
from storecrew.stores.sql import SqlStore


def model_service(
    settings: Settings,
    store: SqlStore,
    journal: SqlJournal,
    clock: Clock,
    learn: Learn = learn_apart,
) -> ModelService:
    """Return the service that trains on this store and keeps the versions in this journal."""
    return ModelService(
        book=SqlModelRegistry(journal.database),
        store=store,
        store_url=database_url(settings, "orders.db"),
        settings=settings.models,
        read_phrases=read_phrases,
        clock=clock,
        learn=learn,
    )
