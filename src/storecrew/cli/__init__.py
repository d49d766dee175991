"""The command line: thin commands over the plane and the store."""

from storecrew.cli.main import main

__all__ = ["main"]
