"""The capstone: the Friday review of a company that nobody has told you about."""

import pandas as pd

from salesops.playbook.capstone import TROUBLES
from salesops.playbook.capstonescore import company_target
from salesops.playbook.exercise import Lesson
from salesops.playbook.owncompany import OwnCompany
from salesops.wording import say


def troubles(company: OwnCompany) -> pd.DataFrame:
    """One row per trouble that may be there: what it is, and of which table ids are evidence."""
    rows = {name: (say(f"lesson.trouble.{name}"), one.table) for name, one in TROUBLES.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["what", "evidence"])


def measures(company: OwnCompany) -> pd.DataFrame:
    """One row per measure that an action can take."""
    names = sorted(one.do for one in TROUBLES.values())
    said = {name: [say(f"lesson.measure.{name}")] for name in names}
    return pd.DataFrame.from_dict(said, orient="index", columns=["what"])


def target(company: OwnCompany) -> pd.DataFrame:
    """One row: `total`, what the company is to sign from July to September 2026, in yuan."""
    total = company_target(company.table("targets"))
    return pd.DataFrame({"value": [total]}, index=["total"])


LESSON = Lesson(
    stem="15_capstone", week=4, minutes=45, report="diagnosis", unknown=True,
    data={"troubles": troubles, "measures": measures, "target": target},
)  # fmt: skip
