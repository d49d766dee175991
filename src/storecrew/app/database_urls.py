"""Where the books are: the configured server, else files of the data folder."""

from storecrew.app.settings import Settings


def database_url(settings: Settings, file: str) -> str:
    """Return the URL of one of the databases: the configured server, else a file."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    if file == "registry.db" and settings.database.path is not None:
        return f"sqlite:///{settings.database.path}"
    return f"sqlite:///{settings.data_dir / file}"
