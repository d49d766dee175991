"""The tables of the SQL store."""
