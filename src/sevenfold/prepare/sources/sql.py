"""SQL: the rows that a query gives, from any database that SQLAlchemy reads."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sevenfold.errors import DataError, MachineError, RecipeError, first_line
from sevenfold.prepare.files import missing
from sevenfold.prepare.sources import RawRow, Reading, Source

if TYPE_CHECKING:
    import sqlalchemy

BATCH = 1000
"""Rows that a server sends at a time."""
SECRET = re.compile("pass|pwd|secret|token|key|odbc", re.IGNORECASE)
"""Parameters of an address that are not shown."""
SUFFIXES = (".db", ".sqlite", ".sqlite3")


def no_address(database: str) -> str:
    """The field's value, unless it is itself an address: those carry passwords, and a recipe is kept and shared."""
    if "://" in database:
        error = RecipeError(
            "a database's address does not belong into a recipe, it carries a password",
            expected="$NAME, the environment variable that holds the address, or the path of a SQLite file",
            next_step="export DATABASE_URL=..., and write database: $DATABASE_URL",
        )
        raise PydanticCustomError("secret", "{problem}", {"problem": error.problem, "error": error})
    return database


class Sql(Source):
    """What a query gives, streamed by a cursor on the server; SQLAlchemy and the driver of your database read it.

    The transaction is read-only where the database knows such, and never committed. A row's origin is its number in
    the result, from 1; give the query an `order by` to have the numbers mean the same tomorrow.
    """

    main = "query"
    database: Annotated[str, AfterValidator(no_address)] = Field(
        description="$NAME: the environment variable that holds the SQLAlchemy URL; or the path of a SQLite file."
    )
    query: str = Field(min_length=1, description="The query; its columns are the rows' columns.")

    def size(self) -> int:
        """Bytes of a SQLite file; a server does not tell."""
        path = Path(self.database).expanduser()
        return path.stat().st_size if not self.database.startswith("$") and path.is_file() else 0

    def fingerprints(self) -> dict[str, str]:
        """A hash of all rows that the query gives, whatever their order: the query runs once more for it."""
        total, count = 0, 0
        for values in self.results():
            data = repr(sorted(values.items(), key=lambda item: item[0])).encode("utf-8", "surrogatepass")
            total = (total + int.from_bytes(hashlib.sha256(data).digest(), "little")) % 2**256
            count += 1
        return {f"{self.database} {self.query}": f"{count} rows {total:064x}"}

    def rows(self, reading: Reading) -> Iterator[RawRow]:
        """The rows of the result."""
        for number, values in enumerate(self.results(), start=1):
            yield RawRow(values, f"{self.database}:row {number}")
        reading.advance(self.size())

    def results(self) -> Iterator[dict[str, Any]]:
        """The rows as values by column.

        Raises:
            DataError: The query is refused, gives no rows by its nature, or gives a column twice.
            MachineError: A library is missing or the database does not answer.
        """
        number = 0
        with understood(self) as place, connected(place) as connection:
            import sqlalchemy

            result = connection.execute(sqlalchemy.text(self.query))
            columns = checked(result, self.database)
            iterator = iter(result)
            while True:
                with understood(self, number + 1):
                    row = next(iterator, None)
                if row is None:
                    return
                number += 1
                yield dict(zip(columns, row, strict=True))


def address(database: str) -> str:
    """The SQLAlchemy URL: from the environment, or of a SQLite file, which is opened for reading alone.

    Raises:
        RecipeError: The variable is not set.
        DataError: There is no such file.
    """
    if database.startswith("$"):
        found = os.environ.get(database[1:].strip("{}"))
        if not found:
            raise RecipeError(
                f"the environment variable {database} is not set",
                where="prepare.source",
                next_step=f"export {database[1:].strip('{}')}=dialect+driver://user:password@host/name",
            )
        return found
    path = Path(database).expanduser()
    if not path.is_file():
        raise missing(path, SUFFIXES)
    return f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true"


@contextmanager
def connected(place: str) -> Iterator[sqlalchemy.Connection]:
    """A connection whose results are streamed and whose transaction is rolled back."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(place, poolclass=sqlalchemy.pool.NullPool)
    options: dict[str, Any] = {"yield_per": BATCH} if engine.dialect.supports_server_side_cursors else {}
    if engine.dialect.name == "postgresql":
        options["postgresql_readonly"] = True
    try:
        with engine.connect() as connection:
            yield connection.execution_options(**options)
    finally:
        engine.dispose()


def checked(result: Any, database: str) -> list[str]:
    """The result's columns.

    Raises:
        DataError: It has none, or one stands twice.
    """
    if not result.returns_rows:
        raise DataError("the query gives no rows by its nature", where=database, expected="select ... from ...")
    columns = list(result.keys())
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise DataError(
            f"the query gives the column {twice[0]!r} twice", where=database, next_step="name one of them with as"
        )
    return columns


@contextmanager
def understood(source: Sql, number: int | None = None) -> Iterator[str]:
    """The database's address; what SQLAlchemy says of it becomes an error without the address and its password.

    Args:
        source: The query.
        number: The row that is being read.

    Raises:
        DataError: The database refuses the query, or a row cannot be read.
        MachineError: SQLAlchemy or the driver is not installed, or the database does not answer.
        RecipeError: The address is none.
    """
    try:
        import sqlalchemy
    except ImportError:
        raise needs("SQLAlchemy") from None
    place = address(source.database)
    where = source.database if number is None else f"{source.database}:row {number}"
    try:
        yield place
    except (sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
        raise needs(f"that the address asks for ({hidden(error, place)})") from None
    except sqlalchemy.exc.ArgumentError:
        raise RecipeError("the variable holds no SQLAlchemy URL", where=where) from None
    except sqlalchemy.exc.DBAPIError as error:
        said = hidden(error.orig or error, place)
        if error.connection_invalidated or isinstance(error, sqlalchemy.exc.InterfaceError):
            raise MachineError(f"the database does not answer: {said}", where=where) from None
        raise DataError(
            f"the database refuses: {said}", where=where, next_step="try the query in the database's own shell"
        ) from None
    except (sqlalchemy.exc.SQLAlchemyError, ValueError, TypeError, OverflowError) as error:
        raise DataError(f"the row cannot be read: {hidden(error, place)}", where=where) from None


def hidden(error: BaseException, place: str) -> str:
    """The first line of what an error says, without anything of the address that may be secret."""
    import sqlalchemy

    said = first_line(error)
    secrets = [place]
    try:
        url = sqlalchemy.make_url(place)
        secrets += [str(url.password or ""), *(str(value) for name, value in url.query.items() if SECRET.search(name))]
    except sqlalchemy.exc.ArgumentError:
        # What is no address has no parts; the whole of it is hidden.
        secrets = [place]
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    return said


def needs(library: str) -> MachineError:
    """The error for a library that is missing."""
    return MachineError(
        f"the source sql needs the library {library}",
        next_step="pip install 'sevenfold[prepare]', and the driver of your database",
    )
