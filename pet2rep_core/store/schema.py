"""Migrations: numbered SQL files, each applied once, in order, in one transaction, and never edited afterwards.

The SQL is one text for two databases. A part ``{{duck: …}}`` is kept on DuckDB only, ``{{pg: …}}`` on
PostgreSQL only; everything else both take. Comments run from ``--`` to the end of the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pet2rep_core.errors import SchemaVersionError
from pet2rep_core.records import text_sha256
from pet2rep_core.store.driver import Database, utc_now

MIGRATIONS = Path(__file__).parent / "migrations"
DIALECTS = ("duck", "pg")
_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL text."""

    version: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash by which an edited migration is noticed."""
        return text_sha256(self.text)


def sql_statements(text: str, dialect: str) -> list[str]:
    """Return the statements of an SQL text for one database, without comments.

    Parameters
    ----------
    text : str
        SQL with ``{{duck: …}}`` and ``{{pg: …}}`` parts; a function body may stand between ``$body$``.
    dialect : {'duck', 'pg'}
        Database whose parts are kept.
    """
    text = re.sub(r"--[^\n]*", "", text)
    for name in DIALECTS:
        text = re.sub(rf"\{{\{{{name}:(.*?)\}}\}}", r"\1" if name == dialect else "", text, flags=re.DOTALL)
    statements, current, in_body = [], "", False
    for part in re.split(r"(;|\$body\$)", text):
        in_body ^= part == "$body$"
        if part == ";" and not in_body:
            statements.append(current.strip())
            current = ""
        else:
            current += part
    return [statement for statement in [*statements, current.strip()] if statement]


def read_migrations(folder: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Return the migrations of a folder in order.

    Raises
    ------
    SchemaVersionError
        If a file is not named like ``0002_what_it_does.sql`` or a number is missing or doubled.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise SchemaVersionError(
                f"The migration {path.name!r} has no number.", hint="Name it like 0002_what_it_does.sql."
            )
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    numbers = [migration.version for migration in found]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        raise SchemaVersionError(
            f"The migrations are numbered {numbers}, not 1, 2, 3 and so on.", hint="Install the program again."
        )
    return tuple(found)


def migrate(database: Database, migrations: tuple[Migration, ...]) -> list[int]:
    """Bring the database to the newest version and return the versions that were applied now.

    Raises
    ------
    SchemaVersionError
        If the database is newer than this program, or was made by a migration that has been edited since.
    StoreError
        If a migration fails; the database then is as before it.
    """
    known = {migration.version: migration for migration in migrations}
    applied = _applied(database)
    for version, name, sha256 in applied:
        if version not in known:
            raise SchemaVersionError(
                f"The database has version {version} ({name}), this program knows versions up to {max(known)}.",
                hint="Start the newer program that made it, or restore the backup from before the update.",
            )
        if known[version].sha256 != sha256:
            raise SchemaVersionError(
                f"Migration {version} ({name}) is not the text that made this database.",
                hint="A released migration is never edited: install the program again, and put changes in a new file.",
            )
    done = {version for version, _, _ in applied}
    new = [migration for migration in migrations if migration.version not in done]
    for migration in new:
        with database.transaction() as tx:
            for statement in sql_statements(migration.text, database.dialect):
                tx.execute(statement)
            tx.execute(
                "INSERT INTO schema_version (version, name, sha256, applied_at) VALUES (?, ?, ?, ?)",
                migration.version,
                migration.name,
                migration.sha256,
                utc_now(),
            )
        database.checkpoint()
    return [migration.version for migration in new]


def _applied(database: Database) -> list[tuple[int, str, str]]:
    tables = database.rows("SELECT table_name FROM information_schema.tables WHERE table_name = 'schema_version'")
    if not tables:
        return []
    rows = database.rows("SELECT version, name, sha256 FROM schema_version ORDER BY version")
    return [(int(version), str(name), str(sha256)) for version, name, sha256 in rows]
