"""Days such as 3.5 and 3月5日, which name no year: asked once, and written into the mapping."""

import re
from collections import Counter
from collections.abc import Iterator

from salesops.sources.dayforms import Given, day_column, with_sources
from salesops.sources.mapping import Mapping, Source
from salesops.sources.questions import BadAnswer, Desk, Question
from salesops.sources.seeing import Look, Seen
from salesops.sources.values import WIDE

KEY = "year"
_FIRST, _LAST = 1900, 2199
# Month first, as in Chinese; where heads are not, 3/5 can be a day of May.
_FORMS = {"%m月%d日": r"(\d{1,2})月(\d{1,2})日", "%m月%d": r"(\d{1,2})月(\d{1,2})"}
_SIGNED = {"%m.%d": r"(\d{1,2})\.(\d{1,2})", "%m/%d": r"(\d{1,2})/(\d{1,2})",
           "%m-%d": r"(\d{1,2})-(\d{1,2})"}  # fmt: skip
_MONTHS, _DAYS = 12, 31
# 12月31日 is the longest of them; by so many others the likely year is told.
_LONGEST, _LOOKED_AT = 6, 200
_YEAR = re.compile(r"(?<!\d)20\d\d(?!\d)")


def with_years(mapping: Mapping, look: Look, desk: Desk, exported_at: str = "") -> Mapping:
    """Write into a mapping the year of days that name none, and their forms.

    Parameters
    ----------
    mapping, look
        The mapping, and what was seen of the export.
    desk
        Where it is asked.
    exported_at
        When it was exported, where that was told. A mapping that was made in another year tells
        nothing of the days of this one.

    Raises
    ------
    Unanswered, BadAnswer
        Nobody tells it, or what was told is no year.
    """
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    told: list[str] = []
    years: Counter[int] = Counter()
    anew = desk.given_for(KEY) is not None
    exported_at = exported_at if exported_at[:4].isdecimal() else ""

    def asked_of(table: str, name: str, given: Given, seen: Seen) -> str | None:
        source = given if isinstance(given, Source) else Source(column=given)
        is_told = source.year and exported_at[:4] in ("", str(source.year)) and not anew
        return None if is_told else day_column(table, name, source, seen)

    def look_at(table: str, name: str, given: Given, seen: Seen) -> Given:
        column = asked_of(table, name, given, seen)
        if column is not None and (seen.where, column) not in found:
            known = seen.frame[column].dropna().drop_duplicates().astype(str)
            short = [text.translate(WIDE) for text in known[known.str.len() <= _LONGEST]]
            pairs = list(_yearless(short, seen))
            found[seen.where, column] = tuple(dict.fromkeys(form for _text, form in pairs))
            named = (_YEAR.search(text) for text in known.iloc[:_LOOKED_AT])
            years.update(int(year[0]) for year in named if year)
            if pairs:
                some = ", ".join(text for text, _form in pairs[:3])
                told.append(f"{seen.where}, {column}: such as {some}")
        return given

    with_sources(mapping, look, look_at)
    if not told:
        return mapping
    likely = exported_at[:4] or (str(years.most_common(1)[0][0]) if years else "")
    (answer,) = desk.decide(Question(
        key=KEY, text="In which year are the days that name none? All of them get it.",
        default=likely, evidence=tuple(told),
    ))  # fmt: skip
    if not answer.isdecimal() or not _FIRST <= int(answer) <= _LAST:
        raise BadAnswer(key=KEY, value=answer, reason="it is no year", known=(likely or "2026",))

    def changed(table: str, name: str, given: Given, seen: Seen) -> Given:
        source = given if isinstance(given, Source) else Source(column=given)
        column = asked_of(table, name, given, seen)
        forms = found.get((seen.where, column), ()) if column is not None else ()
        if not forms:
            return given
        dates = tuple(dict.fromkeys((*source.dates, *forms)))
        return source.model_copy(update={"dates": dates, "year": int(answer)})

    return with_sources(mapping, look, changed)


def _yearless(texts: list[str], seen: Seen) -> Iterator[tuple[str, str]]:
    """Give the texts that are a month and a day, with their form."""
    chinese = any("\u4e00" <= c <= "\u9fff" for head in seen.heads for c in head)
    forms = _FORMS | (_SIGNED if chinese else {})
    for text in texts:
        for form, pattern in forms.items():
            found = re.fullmatch(pattern, text)
            if found and 1 <= int(found[1]) <= _MONTHS and 1 <= int(found[2]) <= _DAYS:
                yield text, form
                break
