"""The folder of a shop's books: whether there is one, and how it is made."""

from pathlib import Path

from storecrew.app.settings import Settings
from storecrew.database.private_files import make_private_folder
from storecrew.domain.errors import StorecrewError


class ShopNotFound(StorecrewError):
    """There are no books where they are looked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"there is no shop in {str(folder)!r}; `storecrew init` makes one, "
            "or name the folder of yours with --data-dir"
        )
        self.folder = folder


class FolderUnusable(StorecrewError):
    """The data folder cannot be made, or cannot be written in."""

    def __init__(self, folder: Path, problem: str) -> None:
        super().__init__(
            f"the data folder {str(folder)!r} cannot be used: {problem}; "
            "choose another with --data-dir or orchestrator.data_dir"
        )
        self.folder = folder


def make_folder(folder: Path) -> None:
    """Make the folder where it is missing, its owner's alone; raises `FolderUnusable`."""
    try:
        make_private_folder(folder)
        probe = folder / ".storecrew-writes"
        probe.touch()
        probe.unlink(missing_ok=True)
    except OSError as error:
        raise FolderUnusable(folder, error.strerror or str(error)) from error


def require_shop(settings: Settings) -> None:
    """Raise `ShopNotFound` where there are no books yet; a database server is not asked."""
    if settings.database.url is None and not (settings.data_dir / "orders.db").is_file():
        raise ShopNotFound(settings.data_dir)
