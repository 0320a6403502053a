"""Which system an export comes from, how sure that is, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from salesops.model.tables import facts
from salesops.sources.dayforms import find_seen
from salesops.sources.mapping import (
    History,
    Mapping,
    Rows,
    Source,
    StageTable,
    known_mappings,
    mapping_text,
    read_mapping,
)
from salesops.sources.naming import first_meant, meant
from salesops.sources.profiling import day_order
from salesops.sources.seeing import Look, Seen

# From here on a system is believed; between the two it is asked about.
SURE, PERHAPS = 0.8, 0.55
# Two systems that are nearly as likely are asked about, too.
_CLOSE = 0.05
# Of the columns of a table whose file is called otherwise so many must be there.
_BOUND = 0.8
Part = TypeVar("Part", Rows, History, StageTable)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A system that an export may come from.

    Attributes
    ----------
    source
        Name of the mapping, or its file.
    mapping
        With the names of the files as they are in this export.
    score
        How sure it is, 0 to 1.
    reasons
        What speaks for it and against it, a line each.
    is_exact
        True where nothing that it is known by is missing, and no value contradicts it.
    rebound
        Files that are called otherwise than the mapping says: their pattern, and their name.
    places
        The sheets by which it is recognised.
    """

    source: str
    mapping: Mapping
    score: float
    reasons: tuple[str, ...]
    is_exact: bool = False
    rebound: tuple[tuple[str, str], ...] = ()
    places: frozenset[str] = frozenset()


def candidates(look: Look, extra: Sequence[tuple[str, Mapping]] = ()) -> list[Candidate]:
    """List the systems that an export may come from, the likeliest first.

    Parameters
    ----------
    look
        What was seen of it.
    extra
        Further mappings by name, such as that of the book that is added to.
    """
    known = [(name, read_mapping(mapping_text(name), name)) for name in known_mappings()]
    found = [c for name, m in [*extra, *known] if (c := _candidate(name, m, look)) is not None]
    return sorted(found, key=lambda c: -c.score)


def settled(found: Sequence[Candidate]) -> Candidate | None:
    """Give the one system that it must be; None where there is none, or several.

    Files of two systems in one folder are two exports, of which one would be lost.
    """
    exact = [c for c in found if c.is_exact and c.score >= SURE]
    if not exact or (len(exact) > 1 and exact[0].score - exact[1].score < _CLOSE):
        return None
    if any(not c.places & exact[0].places for c in exact[1:]):
        return None
    return exact[0]


def _candidate(name: str, mapping: Mapping, look: Look) -> Candidate | None:
    """Weigh what speaks for a system: its columns first, then values and names of files."""
    if not mapping.recognised_by:
        return None
    have = n = named = 0
    lacking: list[str] = []
    places: set[str] = set()
    for pattern, columns in mapping.recognised_by.items():
        seen = _best(look, pattern, columns)
        if seen is None:
            return None
        there = [c for c in columns if c in seen.heads]
        places.add(seen.where)
        have, n = have + len(there), n + len(columns)
        lacking += [f"{c} in {seen.where}" for c in columns if c not in seen.heads]
        named += _is_named(seen, pattern)
    if have / n < PERHAPS:
        return None
    bound, rebound = bind(mapping, look)
    if _lacks_most(bound, look):
        return None
    missing = _missing(bound, look)
    values, told = _values(bound, look)
    days = _days(bound, look)
    against = bool(missing) + (values < _BOUND) + (days == "contradicted")
    files = len(mapping.recognised_by)
    score = 0.75 * have / n + 0.15 * named / files + 0.1 * values - 0.4 * against
    reasons = [f"{have} of the {n} columns by which {mapping.title} is known are there"]
    if lacking or missing:
        reasons.append(f"missing: {', '.join(dict.fromkeys([*lacking, *missing]))}")
    if named:
        reasons.append("files are called as it calls them")
    reasons += [f"{now} is read as {was}, by its columns" for was, now in rebound]
    reasons += [f"its days are {days}"] if days not in ("", "as it writes them") else []
    reasons += told
    is_exact = have == n and not against and days != "unclear"
    return Candidate(source=name, mapping=bound, score=max(0.0, score), reasons=tuple(reasons),
                     is_exact=is_exact, rebound=tuple(rebound),
                     places=frozenset(places))  # fmt: skip


def _is_named(seen: Seen, pattern: str) -> bool:
    name, _sep, sheet = pattern.partition("#")
    return bool(meant([seen.file], name)) and (not sheet or seen.sheet == sheet)


def _best(look: Look, pattern: str, columns: Sequence[str]) -> Seen | None:
    """Find the sheet that has the most of some columns; of several the one of that name."""
    if not look.sheets:
        return None
    return max(look.sheets, key=lambda s: (sum(c in s.heads for c in columns),
                                           _is_named(s, pattern), -len(s.heads)))  # fmt: skip


# What a mapping reads of one place: patterns of the file, and the sheet.
_Place = tuple[tuple[str, ...], str | None]


def bind(mapping: Mapping, look: Look) -> tuple[Mapping, list[tuple[str, str]]]:
    """Name the files of an export in a mapping, where people have called them otherwise.

    A file that the mapping knows by its name is never taken for another one, and none is taken for
    two. Of several files that a pattern means, such as `*.csv`, that with its columns counts.

    Returns
    -------
    tuple
        The mapping, and the pairs of pattern and file that were put in.
    """
    wanted: dict[_Place, list[tuple[str, ...]]] = {}
    for parts in mapping.tables.values():
        for rows in parts:
            wanted.setdefault((rows.files, rows.sheet), []).extend(_wanted_of(rows))
    for part in mapping.history:
        wanted.setdefault((part.files, part.sheet), []).extend(_wanted_of_history(part))
    for table in mapping.stages.tables if mapping.stages is not None else ():
        if not table.entries:
            columns = [_names(table.key), *filter(None, (_names(table.name), _names(table.order)))]
            wanted.setdefault((table.files, table.sheet), columns)
    taken = {seen.where for place in wanted if (seen := find_seen(look, *place)) is not None}
    fits = sorted(
        ((_fit(names, seen), place, seen) for place, names in wanted.items()
         if find_seen(look, *place) is None for seen in look.sheets if seen.where not in taken),
        # Of sheets that fit alike the one of that name.
        key=lambda fit: (-fit[0], fit[1][1] != fit[2].sheet),
    )  # fmt: skip
    bound = _chosen_of_many(wanted, look)
    taken |= {seen.where for seen in bound.values()}
    for fit, place, seen in fits:
        if fit >= _BOUND and place not in bound and seen.where not in taken:
            bound[place] = seen
            taken.add(seen.where)
    if not bound:
        return mapping, []
    tables = {name: tuple(_bound(rows, bound) for rows in parts)
              for name, parts in mapping.tables.items()}  # fmt: skip
    history = tuple(_bound(part, bound) for part in mapping.history)
    stages = mapping.stages
    if stages is not None:
        own = tuple(_bound(table, bound) for table in stages.tables)
        stages = stages.model_copy(update={"tables": own})
    told = [("#".join(filter(None, (place[0][0], place[1]))), seen.where)
            for place, seen in bound.items()]  # fmt: skip
    changed = {"tables": tables, "history": history, "stages": stages}
    return mapping.model_copy(update=changed), told


def _chosen_of_many(wanted: dict[_Place, list[tuple[str, ...]]], look: Look) -> dict[_Place, Seen]:
    """Choose among the files that one pattern means, where the first of them is not the one."""
    chosen = {}
    for place, columns in wanted.items():
        files = [name for pattern in place[0]
                 for name in meant((seen.file for seen in look.sheets), pattern)]  # fmt: skip
        fitting = [seen for name in dict.fromkeys(files) for seen in look.sheets
                   if seen.file == name and place[1] in (None, seen.sheet)]  # fmt: skip
        best = max(fitting, key=lambda seen: _fit(columns, seen), default=None)
        if best is not None and _fit(columns, best) > max(_fit(columns, fitting[0]), _BOUND - 0.01):
            chosen[place] = best
    return chosen


def _fit(wanted: Sequence[tuple[str, ...]], seen: Seen) -> float:
    """Say which share of some columns a sheet has; none without the first, which is the id."""
    if not wanted or not set(wanted[0]) & set(seen.heads):
        return 0.0
    return sum(bool(set(names) & set(seen.heads)) for names in wanted) / len(wanted)


def _bound(part: Part, bound: dict[_Place, Seen]) -> Part:
    seen = bound.get((part.files, part.sheet))
    if seen is None:
        return part
    return part.model_copy(update={"file": seen.file, "sheet": seen.sheet})


def _names(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given


def _wanted_of(rows: Rows) -> list[tuple[str, ...]]:
    sources = rows.sources()
    ordered = sorted(sources.items(), key=lambda item: item[0] != "id")
    return [source.names for _name, source in ordered if source.names]


def _wanted_of_history(history: History) -> list[tuple[str, ...]]:
    given = [history.entity_id, history.changed_at, history.field, history.new_value,
             *history.fields.values()]  # fmt: skip
    sources = [g if isinstance(g, Source) else Source(column=g) for g in given if g is not None]
    return [source.names for source in sources if source.names]


def _lacks_most(mapping: Mapping, look: Look) -> bool:
    """Say whether most tables are not there at all that a mapping can't do without."""
    needed = [rows for parts in mapping.tables.values() for rows in parts if not rows.optional]
    lost = [rows for rows in needed if find_seen(look, rows.files, rows.sheet) is None]
    return 2 * len(lost) > len(needed) > 0


def _missing(mapping: Mapping, look: Look) -> list[str]:
    """Name the tables and columns that are not there, and without which a mapping can't be used."""
    found = []
    for table, parts in mapping.tables.items():
        for rows in parts:
            seen = find_seen(look, rows.files, rows.sheet)
            if seen is None:
                found += [] if rows.optional else [f"a file of {table}"]
                continue
            for column, source in rows.sources().items():
                joined = re.findall(r"\{([^{}]*)\}", source.template or "")
                needed = [n for n in joined if n != "row"]
                if source.names and facts(table)[column].mandatory and not rows.as_found:
                    needed += [] if set(source.names) & set(seen.heads) else [source.names[0]]
                found += [f"{n} in {seen.where}" for n in needed if n not in seen.heads]
    return list(dict.fromkeys(found))


def _days(mapping: Mapping, look: Look) -> str:
    """Hold the form of days that a mapping declares against the days of the export."""
    said = set()
    for parts in mapping.tables.values():
        for rows in parts:
            seen = find_seen(look, rows.files, rows.sheet)
            for source in rows.sources().values():
                head = next((n for n in source.names if seen and n in seen.heads), None)
                forms = " ".join(source.dates)
                first = "month" if "%m/%d" in forms else "day" if "%d/%m" in forms else ""
                if seen is None or head is None or not first:
                    continue
                order = day_order([seen.frame[head]]).says
                said.add(
                    {first: "as it writes them", "neither": "unclear", "": ""}.get(
                        order, "contradicted"
                    )
                )
    return next((word for word in ("contradicted", "as it writes them", "unclear") if word in said),
                "")  # fmt: skip


def _values(mapping: Mapping, look: Look) -> tuple[float, list[str]]:
    """Weigh values: do they look as the system writes them, are they those that it knows?"""
    shares: list[float] = []
    told: list[str] = []
    for column, pattern in mapping.looks.items():
        for seen in look.sheets:
            if column in seen.heads and (texts := seen.profiles[column].common):
                share = sum(bool(re.fullmatch(pattern, t)) for t in texts) / len(texts)
                shares.append(share)
                told.append(f"{share:.0%} of the values of {column} look as it writes them")
                break
    for table, parts in mapping.tables.items():
        for rows in parts:
            files = first_meant((s.file for s in look.sheets), rows.files)
            seen_ = [s for s in look.sheets if s.file in files]
            for name, source in rows.sources().items():
                found = next((h for h in source.names if seen_ and h in seen_[0].heads), None)
                if not source.values or found is None or name != "stage":
                    continue
                texts = seen_[0].profiles[found].common
                share = sum(t in source.values for t in texts) / len(texts) if texts else 1.0
                shares.append(share)
                told.append(f"{share:.0%} of the values of {found} ({table}) are known")
    return (sum(shares) / len(shares) if shares else 1.0), told
