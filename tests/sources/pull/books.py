"""Comparing books: what two imports have made of the same records."""

from pathlib import Path

from salesops.book.store import open_store
from salesops.book.write import read_tables
from tests.sources.systems.company import Company, made
from tests.sources.systems.roundtrip import in_its_words, writer


def company_of(system: str) -> Company:
    """The made-up company in the words of a system, each of its people with a name of their own."""
    company = made()
    company["users"].loc[3, "name"] = "赵敏"
    # A lone id that ends with zeros looks as if a spreadsheet had rounded it.
    company["accounts"].loc[1, "parent_account_id"] = company["accounts"].loc[3, "id"]
    return in_its_words(company, writer(system))


def rows_of(book: Path) -> dict[str, list[tuple]]:
    """All rows of all tables as texts, in an order of their own."""
    tables = {n: t.to_pandas() for n, t in read_tables(open_store(book)).items()}
    found = {}
    for name, frame in tables.items():
        # The order of equal times is that of rows in a file.
        shown = frame.drop(columns=["seq"], errors="ignore").dropna(axis=1, how="all")
        rows = shown.astype(str).itertuples(index=False)
        found[name] = [tuple(shown.columns), *sorted(map(tuple, rows))]
    return found


def texts_below(folder: Path) -> str:
    """Everything that stands in the files of a folder."""
    return "".join(p.read_bytes().decode("utf-8", "replace")
                   for p in sorted(folder.rglob("*")) if p.is_file())  # fmt: skip
