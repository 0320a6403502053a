"""Several exports of one company in one folder: two states of the same deals are no one table."""

from collections.abc import Sequence
from dataclasses import dataclass

from salesops.model.errors import SalesopsError
from salesops.sources.setaside import MOST
from salesops.sources.tabling import Part

# A few rows that stand in two files are faults of their own.
_FEW = 3


@dataclass(eq=False, kw_only=True)
class SeveralExports(SalesopsError, ValueError):
    """Two files of an export tell of the same records."""

    where: str
    table: str
    first: str
    second: str
    n: int
    most: int

    def __str__(self) -> str:
        return (
            f"{self.where} holds two exports of the same {self.table}: of {self.most} rows of "
            f"{self.second} {self.n} have an id that {self.first} has too.\n"
            "Expected: one export at a time, so that what differs between them becomes history; or "
            "files whose rows differ, which stand under each other.\n"
            "Import them one after the other, the older one first: salesops import FILE --into "
            "BOOK --exported-at DATE. Take a copy away."
        )


def refuse_several(where: str, parts: Sequence[Part]) -> None:
    """Refuse an export of which two files hold more than a few of the same ids.

    Raises
    ------
    SeveralExports
        There are two.
    """
    seen: dict[str, list[Part]] = {}
    for part in parts:
        if part.distinct or "id" not in part.frame:
            continue
        ids = part.frame["id"].dropna()
        for before in seen.setdefault(part.table, []):
            n = int(ids.isin(set(before.frame["id"].dropna())).sum())
            if before.where != part.where and n > max(_FEW, MOST * len(ids)):
                raise SeveralExports(where=where, table=part.table, first=before.where,
                                     second=part.where, n=n, most=len(ids))  # fmt: skip
        seen[part.table].append(part)
