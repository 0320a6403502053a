"""Findings that went away and came back, from what earlier runs said."""

import pandas as pd

RETURNED = ["finding", "code", "subject", "evidence", "n_dates", "first_on", "gone_on",
            "back_on"]  # fmt: skip


def returned(said: pd.DataFrame) -> pd.DataFrame:
    """Which findings were gone and are back?

    Parameters
    ----------
    said
        See `book.runlog.said_findings`.

    Returns
    -------
    pandas.DataFrame
        One row per finding that the last date has, an earlier one had and a date between them had
        not, of the same report and scope: `finding`, `code`, `subject`, `evidence` (of the last
        date), `n_dates` (dates that had it), `first_on`, `gone_on` (first date without it after
        the first) and `back_on` (since when it is there again).
    """
    found = []
    for _key, part in said.groupby(["report", "scope"]):
        days = sorted(part["as_of"].unique())
        there = part.dropna(subset=["finding"]).groupby("finding")
        for finding, rows in there:
            had = [day in set(rows["as_of"]) for day in days]
            first = had.index(True)
            if not had[-1] or all(had[first:]):
                continue
            gone = first + had[first:].index(False)
            back = len(had) - had[::-1].index(False)
            one = rows.iloc[-1]
            found.append((finding, one["code"], one["subject"], one["evidence"], sum(had),
                          days[first], days[gone], days[back]))  # fmt: skip
    frame = pd.DataFrame(found, columns=RETURNED).drop_duplicates("finding")
    for column in ("first_on", "gone_on", "back_on"):
        frame[column] = pd.to_datetime(frame[column])
    return frame.sort_values(["n_dates", "finding"], ascending=[False, True], ignore_index=True)
