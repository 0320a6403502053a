"""How the rows of the register stand at a day, and which metric answers which finding."""

import datetime as dt

import pandas as pd

# Only where the finding's own number is this metric in its scope: a rule, a product or a customer
# of its own has another baseline than all of them together.
METRIC_OF: dict[str, str] = {
    "performance.behind_pace": "pace",
    "performance.group_behind_pace": "pace",
    "funnel.coverage_short": "to_go_coverage",
    "conversion.never_touched": "never_touched_share",
    "diagnosis.untouched_leads": "never_touched_share",
    "collection.late_all": "overdue",
    "collection.late_team": "overdue",
}


def state_of(rows: pd.DataFrame, on: dt.date) -> "pd.Series[str]":
    """How does each row of the register stand at the end of a day?

    Parameters
    ----------
    rows
        Of `actions`, as known at that day: `status`, `due_on`, `done_on`.
    on
        The day.

    Returns
    -------
    pandas.Series
        `dropped`; `done` (by that day, or without a date); `late` (due before it, and neither);
        else `open`. On the day on which it is due a row is not late yet.

    Examples
    --------
    >>> rows = pd.DataFrame({"status": ["open", "open", "done", "dropped"],
    ...                      "due_on": ["2026-03-04", "2026-03-05", "2026-03-01", "2026-03-01"],
    ...                      "done_on": [None, None, "2026-03-09", "2026-03-02"]})
    >>> state_of(rows, dt.date(2026, 3, 5)).tolist()
    ['late', 'open', 'late', 'dropped']
    """
    day = pd.Timestamp(on)
    due, done = (pd.to_datetime(rows[c]) for c in ("due_on", "done_on"))
    status = rows["status"].astype(object)
    found = pd.Series("open", index=rows.index, dtype=object)
    found[due < day] = "late"
    ended = (done <= day) | done.isna()
    found[(done <= day) | ((status == "done") & ended)] = "done"
    found[(status == "dropped") & ended] = "dropped"
    return found
