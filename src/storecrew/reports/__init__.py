"""Reports: figures for the owner, computed from the store and the journal."""
