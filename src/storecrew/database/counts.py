"""Row counts that triggers keep, so that asking how many rows there are reads none of them.

The table `row_counts` has a row per counted table and value of the columns it is counted by. On
Postgres each is split into shards by connection, so that writers do not wait for one another.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_SHARDS = 128
_COLUMNS = "relation, part, state, shard"
_counts = sa.table(
    "row_counts",
    *(sa.column(name, sa.Text) for name in ("relation", "part", "state")),
    sa.column("n", sa.BigInteger),
)


def counts_table(metadata: sa.MetaData) -> sa.Table:
    """Return the table of the counts, as a database's metadata has it."""
    return sa.Table(
        "row_counts",
        metadata,
        sa.Column("relation", sa.Text, primary_key=True),
        sa.Column("part", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, primary_key=True),
        sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("n", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


@dataclass(frozen=True)
class Counted:
    """A table whose rows are counted, each by up to two of its columns."""

    table: str
    part: str = ""
    state: str = ""

    def begin(self, connection: Connection) -> None:
        """Make the triggers that keep the counts of this table, which is empty yet."""
        is_sqlite = connection.dialect.name == "sqlite"
        for statement in self._on_sqlite() if is_sqlite else self._on_postgres():
            connection.exec_driver_sql(statement)

    def difference(self) -> str:
        """Return a query of the part, state, kept and true count wherever these two differ."""
        return (
            "SELECT part, state, SUM(kept), SUM(counted) FROM ("
            f"SELECT part, state, n AS kept, 0 AS counted FROM row_counts"
            f" WHERE relation = '{self.table}' UNION ALL"
            f" SELECT {self._key()}, 0, 1 FROM {self.table}) both_sides"
            " GROUP BY part, state HAVING SUM(kept) <> SUM(counted)"
        )

    def _key(self, row: str = "") -> str:
        """Return the values by which a row is counted, as SQL."""
        columns = (self.part, self.state)
        return ", ".join(f"coalesce({row}{name}, '')" if name else "''" for name in columns)

    def _on_sqlite(self) -> list[str]:
        more, less = (
            f"INSERT INTO row_counts ({_COLUMNS}, n) VALUES ('{self.table}', {self._key(row)}, 0,"
            f" {change}) ON CONFLICT ({_COLUMNS}) DO UPDATE SET n = n + excluded.n;"
            for row, change in (("NEW.", 1), ("OLD.", -1))
        )
        on, name = f"ON {self.table}", f"{self.table}_counted"
        statements = [
            f"CREATE TRIGGER {name}_in AFTER INSERT {on} BEGIN {more} END",
            f"CREATE TRIGGER {name}_out AFTER DELETE {on} BEGIN {less} END",
        ]
        if columns := [column for column in (self.part, self.state) if column]:
            moved = f"({self._key('OLD.')}) <> ({self._key('NEW.')})"
            event = f"UPDATE OF {', '.join(columns)}"
            statements.append(
                f"CREATE TRIGGER {name}_anew AFTER {event} {on} WHEN {moved}"
                f" BEGIN {less} {more} END"
            )
        return statements

    def _on_postgres(self) -> list[str]:
        new, old = (
            f"SELECT {self._key()}, {change} FROM {rows}"
            for rows, change in (("new_rows", 1), ("old_rows", -1))
        )
        events = {
            "insert": (new, "NEW TABLE AS new_rows"),
            "delete": (old, "OLD TABLE AS old_rows"),
        }
        if self.part or self.state:
            both = "NEW TABLE AS new_rows OLD TABLE AS old_rows"
            events["update"] = (f"{new} UNION ALL {old}", both)
        return [
            statement
            for event, (changes, tables) in events.items()
            for statement in self._trigger(event, changes, tables)
        ]

    def _trigger(self, event: str, changes: str, tables: str) -> tuple[str, str]:
        """Return a function that adds up the changes of a statement, and what calls it."""
        name = f"{self.table}_counted_{event}"
        return (
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
            f" SET search_path FROM CURRENT AS $$ BEGIN"
            f" INSERT INTO row_counts AS kept ({_COLUMNS}, n)"
            f" SELECT '{self.table}', part, state, mod(pg_backend_pid(), {_SHARDS}), sum(change)"
            f" FROM ({changes}) AS changes (part, state, change) GROUP BY part, state"
            " HAVING sum(change) <> 0 ORDER BY part, state"
            f" ON CONFLICT ({_COLUMNS}) DO UPDATE SET n = kept.n + excluded.n;"
            " RETURN NULL; END $$",
            f"CREATE TRIGGER {name} AFTER {event} ON {self.table} REFERENCING {tables}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        )


_SUM = sa.select(sa.func.coalesce(sa.func.sum(_counts.c.n), 0))
_BY_STATE = sa.select(_counts.c.state, sa.func.sum(_counts.c.n)).group_by(_counts.c.state)


def row_count(
    connection: Connection, table: str, *, part: str | None = None, state: str | None = None
) -> int:
    """Return how many rows a counted table has, in all or of this part and state."""
    query = _SUM.where(_counts.c.relation == table)
    if part is not None:
        query = query.where(_counts.c.part == part)
    if state is not None:
        query = query.where(_counts.c.state == state)
    return int(connection.execute(query).scalar_one())


def row_counts(connection: Connection, table: str) -> dict[str, int]:
    """Return how many rows of a counted table are in each state; states without are left out."""
    query = _BY_STATE.where(_counts.c.relation == table)
    return {state: int(n) for state, n in connection.execute(query) if n}
