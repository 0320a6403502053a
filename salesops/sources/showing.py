"""A mapping as a person reads it before they say yes: column by column, with values."""

import unicodedata
from collections.abc import Mapping as Mapped

from salesops.sources.dayforms import find_seen
from salesops.sources.history import as_source
from salesops.sources.mapping import Condition, History, Mapping, Rows, Source
from salesops.sources.seeing import Look, Seen

_UNITS = {"wan": "× 10,000", "k": "× 1,000", "cents": "÷ 100", "micros": "÷ 1,000,000",
          "percent": "÷ 100", "million": "× 1,000,000", "yi": "× 100,000,000"}  # fmt: skip
_WIDEST = 34


def mapping_lines(
    mapping: Mapping, look: Look, reasons: Mapped[tuple[str, str], str] | None = None
) -> list[str]:
    """Show a mapping: source column, ours, some of its values, unit and why.

    Parameters
    ----------
    mapping
        What to show; of its tables those that are there.
    look
        What was seen of the export.
    reasons
        Why a column was chosen, where it was not known before.
    """
    lines: list[str] = []
    why = reasons or {}
    for table, parts in mapping.tables.items():
        for rows in parts:
            seen = find_seen(look, rows.files, rows.sheet)
            if seen is not None:
                lines += [f"{table}  from {seen.where}, {len(seen.frame):,} rows"]
                lines += _columns(table, rows.sources(), seen, why, as_found=rows.as_found)
                lines += _unused(seen, mapping, rows) if table == "opportunities" else []
    for history in mapping.history:
        seen = find_seen(look, history.files, history.sheet)
        if seen is not None:
            lines += [f"changes  from {seen.where}, {len(seen.frame):,} rows"]
            lines += _columns("changes", _of_history(history), seen, why, as_found=False)
    if mapping.stages is not None and mapping.stages.kinds:
        open_ = [text for text, kind in mapping.stages.kinds.items() if kind == "open"]
        ends = [f"{text} ({kind})" for text, kind in mapping.stages.kinds.items() if kind != "open"]
        lines += ["stages", f"  {' > '.join(open_)}; {', '.join(ends)}"]
    return lines


def _columns(
    table: str, sources: Mapped[str, Source], seen: Seen, why: Mapped[tuple[str, str], str], *,
    as_found: bool,
) -> list[str]:  # fmt: skip
    rows = []
    for column, source in sources.items():
        head = next((n for n in source.names if n in seen.heads), None)
        if head is None and (as_found or source.names):
            continue
        samples = ", ".join(_short(t) for t in seen.profiles[head].samples) if head else ""
        told = [_unit(source, seen, head), *(f"days as {form}" for form in source.dates[:1]),
                f"{source.instead[0].where.column} says more" if source.instead else "",
                why.get((table, column), "")]  # fmt: skip
        rows.append((_said(source, head), column, samples, "; ".join(t for t in told if t)))
    widths = [min(_WIDEST, max((_width(row[i]) for row in rows), default=0)) for i in range(3)]
    return [
        "  " + "  ".join([_padded(row[0], widths[0]), "→", _padded(row[1], widths[1]),
                          _padded(row[2], widths[2]), row[3]]).rstrip()
        for row in rows
    ]  # fmt: skip


def _said(source: Source, head: str | None) -> str:
    if source.constant is not None:
        return f"always {source.constant!r}"
    return source.template if source.template is not None else head or ""


def _unit(source: Source, seen: Seen, head: str | None) -> str:
    epoch = {"ms": "milliseconds since 1970", "s": "seconds since 1970"}.get(source.epoch, "")
    unit = source.unit or seen.read.layout.units.get(head or "")
    return epoch or _UNITS.get(unit or "one", "")


def _of_history(history: History) -> dict[str, Source]:
    given = {
        "entity_id": history.entity_id, "changed_at": history.changed_at,
        "changed_by": history.changed_by, "field": history.field,
        "old_value": history.old_value, "new_value": history.new_value, **history.fields,
    }  # fmt: skip
    found = {name: as_source(source) for name, source in given.items()}
    return {name: source for name, source in found.items() if source is not None and source.names
            and source.names[0]}  # fmt: skip


def _unused(seen: Seen, mapping: Mapping, rows: Rows) -> list[str]:
    """Name the columns of the deals that nothing takes."""
    taken: set[str] = set()
    for parts in mapping.tables.values():
        for part in parts:
            if part.files == rows.files and part.sheet == rows.sheet:
                for source in part.sources().values():
                    taken |= set(source.names)
                    taken |= {h for h in seen.heads if "{" + h + "}" in (source.template or "")}
                    taken |= {n for i in source.instead for n in _names(i.where)}
    left = [head for head in seen.heads if head not in taken]
    return [f"  not used: {', '.join(left)}"] if left else []


def _names(condition: Condition) -> tuple[str, ...]:
    return (condition.column,) if isinstance(condition.column, str) else condition.column


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 16 else plain[:15] + "…"


def _width(text: str) -> int:
    """Say how many columns of a terminal a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))
