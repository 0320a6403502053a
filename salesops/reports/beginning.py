"""A company's folder to begin with: the plan with its four packs, settings, a page about it."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jinja2

from salesops.model.settings import Settings, default_text
from salesops.reports.page import environment
from salesops.reports.plan import FILE, CompanyPlan, read_plan
from salesops.wording import label, language, listed, say

PACKS = ("daily", "monday", "monthly", "quarterly")
_IGNORED = """\
# What is made, and what is about customers, stays out of the repository.
reports/
runs/
.salesops/
.env
*.csv
*.parquet
*.duckdb
*.xlsx
"""


@dataclass(frozen=True, kw_only=True)
class _Line:
    """An entry of the plan to begin with."""

    name: str
    pack: str
    minutes: int
    schedule: str
    on: bool = False
    reports: tuple[str, ...] = ()
    scopes: str = "company"
    period: str = "latest"
    as_of: str = "day_before"
    missed_hours: int = 12
    card: bool = False
    most_pages: int = 0

    @property
    def when(self) -> str:
        return self.pack


def _lines(settings: Settings) -> tuple[_Line, ...]:
    """List the entries; quarters begin where the company's fiscal year says."""
    first = (settings.company.fiscal_year_starts - 1) % 3 + 1
    quarters = ",".join(str(month) for month in range(first, 13, 3))
    monday, monthly, quarterly = "0 7 * * mon", "0 8 3 * *", f"0 8 5 {quarters} *"
    week = _Line(name="", minutes=30, pack="monday", schedule=monday, scopes="every_team",
                 most_pages=4)  # fmt: skip
    month = _Line(name="", minutes=45, pack="monthly", schedule=monthly, period="last_month",
                  missed_hours=72)  # fmt: skip
    quarter = _Line(name="", minutes=90, pack="quarterly", schedule=quarterly,
                    period="last_quarter", missed_hours=72)  # fmt: skip
    return (
        _Line(name="daily", minutes=1, on=True, pack="daily", schedule="30 18 * * mon-fri",
              as_of="same_day", missed_hours=3, card=True),
        replace(week, name="monday", reports=("stall",), on=True),
        replace(week, name="monday_funnel", minutes=20, reports=("funnel",)),
        replace(month, name="monthly", minutes=60, reports=("performance",), on=True),
        replace(month, name="monthly_cash", minutes=30, reports=("collection",)),
        replace(month, name="monthly_customers", reports=("conversion", "churn", "service")),
        replace(month, name="monthly_work", reports=("process", "quality", "collaboration")),
        replace(quarter, name="quarterly", reports=("diagnosis",), on=True),
        replace(quarter, name="quarterly_review", reports=("review", "targets")),
        replace(quarter, name="quarterly_tools", minutes=30, reports=("selection",)),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Begun:
    """What was written, and what was there already and stays."""

    written: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()
    steps: tuple[str, ...] = field(default_factory=tuple)


def begin(folder: Path, *, book: str, langs: Sequence[str]) -> Begun:
    """Write the files of a company's folder that are not there yet.

    Parameters
    ----------
    folder
        Made where it is not there.
    book
        Folder, `.duckdb` file or URL; empty means the folder itself.
    langs
        Languages of the reports; the files speak the first.

    Raises
    ------
    BadPlan
        The book can't stand in a plan, such as a URL with a password. Nothing is written.
    BadSettings
        The book's own settings are not valid.
    """
    place = book if "://" in book else os.path.relpath(book, folder) if book else "."
    company = CompanyPlan.of(folder / FILE, place)
    own_settings = place == "." and not company.is_url
    steps = _steps(folder, company)
    with language(langs[0]):
        files = _files(company, place, langs, own_settings, steps)
    read_plan(files[FILE], folder / FILE)
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = [], []
    for name, text in files.items():
        target = folder / name
        if target.exists():
            kept.append(target)
            continue
        partial = target.with_name(target.name + ".tmp")
        partial.write_text(text, encoding="utf-8")
        partial.replace(target)
        written.append(target)
    return Begun(written=tuple(written), kept=tuple(kept), steps=steps)


def _steps(folder: Path, company: CompanyPlan) -> tuple[str, ...]:
    """Name the commands that come next: first the data, where there are none yet."""
    has_data = company.is_url or Path(company.book).is_file() or any(
        Path(company.book).glob("opportunities.*")
    )  # fmt: skip
    data = () if has_data else (f"salesops import EXPORT --into {company.book}",)
    return (*data, f"salesops check {company.book}", f"salesops plan {folder}",
            f"salesops run --plan {folder}", f"salesops schedule run {folder}")  # fmt: skip


def _files(
    company: CompanyPlan, book: str, langs: Sequence[str], own_settings: bool, steps: Sequence[str]
) -> dict[str, str]:
    templates = environment().overlay(autoescape=False)
    heads = {"tojson_text": _quoted, "prefixed": lambda name: label(f"init.head_{name}")}
    templates.filters = {**templates.filters, **heads}
    entries = [_told(line, langs) for line in _lines(company.settings)]
    told = {"say": say, "label": label, "lang": langs[0]}
    packs = [(pack, [e for e in entries if e["pack"] == pack]) for pack in PACKS]
    files = {
        FILE: _text(templates, "company.toml.j2", packs=packs, book=book, **told),
        "README.md": _text(
            templates, "company.readme.md.j2", entries=entries, steps=steps,
            company=company.settings.company.name, own_settings=own_settings, **told,
        ),
        ".gitignore": _IGNORED,
    }  # fmt: skip
    return {**files, "salesops.toml": default_text()} if own_settings else files


def _text(templates: jinja2.Environment, name: str, **told: object) -> str:
    return templates.get_template(name).render(**told) + "\n"


def _quoted(text: str) -> str:
    """Write a TOML string; its escapes are JSON's."""
    return json.dumps(text, ensure_ascii=False)


def _told(line: _Line, langs: Sequence[str]) -> dict[str, object]:
    """Give an entry with its words in both languages, since its readers may speak either."""
    # The group of a chat speaks one language, and so does a team's meeting.
    own = langs[:1] if line.pack in ("daily", "monday") else langs
    names = [label(f"report.{report}") for report in line.reports]
    return {
        "name": line.name, "pack": line.pack, "on": line.on, "minutes": line.minutes,
        "reports": line.reports, "scopes": line.scopes, "langs": own, "period": line.period,
        "as_of": line.as_of, "schedule": line.schedule, "when": line.when,
        "missed_hours": line.missed_hours, "card": line.card, "most_pages": line.most_pages,
        "contents": listed(names) or label("init.card"),
        "audience": _both(f"init.{line.name}_audience"),
        "decision": _both(f"init.{line.name}_decision"),
    }  # fmt: skip


def _both(code: str) -> Mapping[str, str]:
    found = {}
    for lang in ("zh", "en"):
        with language(lang):
            found[lang] = label(code)
    return found
