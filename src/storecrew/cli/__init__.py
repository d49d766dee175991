"""The command line: thin commands over the assembled product."""
