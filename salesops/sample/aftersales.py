"""After the sale: cases that customers open, how fast they are answered, how happy they are."""

import numpy as np
import pandas as pd

from salesops.sample.company import Company
from salesops.sample.draws import NONE, lognormal
from salesops.sample.timeline import DAY

A_MONTH = 0.30
CATEGORIES = ("设备离线", "数据异常", "报表问题", "账号权限", "使用咨询", "升级")
CATEGORY_WEIGHTS = (22, 18, 16, 12, 24, 8)
SEVERITIES = ("紧急", "一般", "低")
SEVERITY_WEIGHTS = (12, 63, 25)
ANSWER_HOURS = (1, 5, 9)
SOLVE_HOURS = (16, 60, 110)
ANSWERED_SURVEY = 0.18
# One to five: mean 4.3.
CSAT_WEIGHTS = (4, 4, 8, 26, 58)
REPEAT_SHARE = 0.11


def open_tickets(company: Company) -> None:
    """Make the frame `tickets` in order of opening."""
    contracts, draws, line = company["contracts"], company.draws("tickets"), company.timeline
    since = contracts.groupby("account").delivered.min()
    begin = np.maximum(since.to_numpy(), line.start)
    # Four tries a month, each with a small chance, make a count that varies like one.
    tries = np.maximum(line.end + 1 - begin, 0) * 4_000 // 30_437
    account = np.repeat(since.index.to_numpy(), tries)
    account_begin = np.repeat(begin, tries)
    happens = draws.chance(A_MONTH / 4, len(account))
    account, account_begin = account[happens], account_begin[happens]
    n = len(account)
    day = account_begin + draws.whole(0, np.maximum(line.end - account_begin, 0), n)
    opened = line.at_work(draws, day)
    severity = draws.pick(SEVERITY_WEIGHTS, n)
    answer = np.array(ANSWER_HOURS)[severity] * 60 * lognormal(1000, 0.8)[draws.level(n)] // 1000
    solve = np.array(SOLVE_HOURS)[severity] * 60 * lognormal(1000, 0.9)[draws.level(n)] // 1000
    category = draws.pick(CATEGORY_WEIGHTS, n)
    answered = draws.chance(ANSWERED_SURVEY, n)
    rows = pd.DataFrame(
        {
            "account": account, "opened": opened, "severity": severity, "category": category,
            "answered": opened + np.maximum(answer, 4) * 60,
            "csat": np.where(answered, 1 + draws.pick(CSAT_WEIGHTS, n), NONE),
            "is_repeat": draws.chance(REPEAT_SHARE, n),
        }
    )  # fmt: skip
    rows["closed"] = rows.answered + np.maximum(solve, 20) * 60
    rows = rows[(rows.opened <= line.end_at) & (rows.opened >= line.start * DAY)]
    first = ~rows.sort_values("opened", kind="stable").duplicated(["account", "category"])
    rows["is_repeat"] &= ~first.reindex(rows.index)
    company["tickets"] = rows.sort_values("opened", kind="stable", ignore_index=True)
