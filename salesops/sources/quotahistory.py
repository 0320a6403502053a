"""The quota history of AdventureWorks, Microsoft's sample company, as monthly targets."""

import csv
from pathlib import Path

import pandas as pd

from salesops.sources.targetcells import cents_of, shared_over
from salesops.sources.targetgrids import BadTargets

HISTORY = "SalesPersonQuotaHistory.csv"
COLUMNS = ["period", "level", "key", "metric", "cents", "where"]


def quota_history(path: Path) -> pd.DataFrame:
    """Read `SalesPersonQuotaHistory.csv`: a quota per person from a date on, for three months.

    Returns
    -------
    pandas.DataFrame
        One row per person and month: `period`, `level`, `key` (BusinessEntityID), `metric`,
        `cents`, `where`; a quarter's cents in thirds, the last ones to its first months.

    Raises
    ------
    BadTargets
        A row is not as the database writes it.
    """
    found = []
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for i, row in enumerate(csv.reader(lines, delimiter="\t"), 1):
            where = f"{path.name}, row {i}"
            try:
                _key, person, since, quota, *_rest = row
                cents = cents_of(quota, 1)
                # A quarter is written with one of the last days before it, or its first.
                first = (pd.Timestamp(since) + pd.Timedelta(days=5)).to_period("M")
            except ValueError as error:
                mend = "It needs a key, a person, a date and a quota."
                raise BadTargets(where=where, reason=str(error), mend=mend) from error
            if cents is None:
                continue
            found += [
                (str(first + k), "user", person, "bookings", part, where)
                for k, part in enumerate(shared_over(cents, 3))
            ]
    return pd.DataFrame(found, columns=COLUMNS)
