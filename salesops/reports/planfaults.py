"""What is wrong with a plan, all of it at once: key, value, what was expected, what is nearest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from salesops.model.errors import SalesopsError, nearest
from salesops.model.settings import _section_of
from salesops.reports.jobs import (
    BadParameter,
    UnknownParameter,
    checked_parameters,
    known_reports,
    parameters_of,
)

# They are keys of an entry, or follow from the plan.
OWN_PARAMETERS = ("book", "as_of", "scope", "lang", "period")


@dataclass(frozen=True)
class Fault:
    """One mistake: where, what stands there, what was expected."""

    key: str
    value: str
    problem: str

    @property
    def row(self) -> tuple[str, str, str]:
        """The mistake as a row of the table."""
        return self.key, self.value, self.problem


@dataclass(eq=False, kw_only=True)
class BadPlan(SalesopsError, ValueError):
    """A reports.toml says what can't be meant. Each row of `rows` is (key, value, problem)."""

    where: str
    rows: tuple[tuple[str, str, str], ...]

    def __str__(self) -> str:
        table = [("key", "value", "expected"), *self.rows]
        widths = [max(len(row[i]) for row in table) for i in range(2)]
        lines = [
            f"  {row[0].ljust(widths[0])}  {row[1].ljust(widths[1])}  {row[2]}" for row in table
        ]
        n = len(self.rows)
        return "\n".join(
            [
                f"{self.where} has {n} mistake{'s' * (n != 1)}:",
                *lines,
                "Expected: entries and recipients as `salesops init` writes them.",
                "Mend the keys named above, then look with: salesops plan FOLDER.",
            ]
        )


def shown(value: object) -> str:
    """Write a value as it stands in the file, in short."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value if len(value) <= 40 else value[:39] + "…"
        return f'"{text}"'.replace("\n", " ")
    return str(value) if isinstance(value, int | float) else ""


def named(raw: Mapping[str, Any], place: Sequence[str | int]) -> str:
    """Write where a key stands: `monday: formats`, `[recipients.leads] scope`, `book`."""
    parts = [str(part) for part in place]
    keys = ".".join(part for part in parts[2:] if not part.isdigit())
    if parts[0] == "entries" and len(place) > 1 and isinstance(place[1], int):
        entry = raw["entries"][place[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        head = str(name) if name else f"entry {place[1] + 1}"
        return f"{head}: {keys}".rstrip(": ")
    if parts[0] == "recipients" and len(parts) > 1:
        return f"[recipients.{parts[1]}] {keys}".strip()
    if parts[0] == "delivery" and len(parts) > 1:
        return f"[delivery] {parts[1]}"
    return ".".join(parts)


def _is_secret(place: Sequence[str | int]) -> bool:
    """Say whether a password or a channel's address may stand there by mistake."""
    return place in (("book",), ("delivery", "server")) or (
        place[0] == "recipients" and place[2:3] == ("to",)
    )


def typed_faults(
    error: ValidationError, raw: Mapping[str, Any], model: type[BaseModel]
) -> Iterator[Fault]:
    """Turn what pydantic found into rows."""
    errors = error.errors()
    broken = {found["loc"][:-1] for found in errors}
    for found in errors:
        place, kind = found["loc"], found["type"]
        if kind == "too_short" and place in broken:  # those that are wrong are left out
            continue
        value = "" if _is_secret(place) else shown(found["input"])
        message = str(found["msg"]).removeprefix("Value error, ")
        if kind == "extra_forbidden":
            known = _keys(model, place[:-1])
            value = shown(str(place[-1]))
            message = f"no such key; nearest: {nearest(str(place[-1]), known)}"
        elif kind == "literal_error":
            expected = str(found.get("ctx", {}).get("expected", "")).replace("'", "")
            known = tuple(expected.replace(" or ", ", ").split(", "))
            message = f"one of {', '.join(known)}; nearest: {nearest(str(found['input']), known)}"
        elif kind == "missing":
            value, message = "", "it is missing"
        elif kind == "string_pattern_mismatch":
            message = "small letters, digits, - and _, a letter first"
        elif kind == "tuple_type":
            message = 'a list in brackets, such as ["one", "two"]'
        elif kind == "too_short":
            message = "one at least"
        yield Fault(named(raw, place), value, message)


def _keys(model: type[BaseModel], place: Sequence[str | int]) -> tuple[str, ...]:
    section: type[BaseModel] | None = model
    for part in place:
        field = section.model_fields.get(str(part)) if section is not None else None
        # Places in a list and names of recipients are no keys of a section.
        section = _section_of(field.annotation) if field is not None else section
    return tuple(section.model_fields) if section is not None else ()


def own_faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what types don't show: reports, parameters and recipients that there are not."""
    entries = raw.get("entries", [])
    recipients = raw.get("recipients", {})
    known = tuple(recipients) if isinstance(recipients, dict) else ()
    seen: set[str] = set()
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        name = str(entry.get("name", f"entry {entries.index(entry) + 1}"))
        if name in seen:
            yield Fault(f"{name}: name", shown(name), "a name that no other entry has")
        seen.add(name)
        reports = _texts(entry.get("reports"))
        if not reports and not entry.get("card"):
            yield Fault(f"{name}: reports", "", "a report at least, or card = true")
        there = known_reports()
        for report in reports:
            if report not in there:
                near = nearest(report, there)
                yield Fault(f"{name}: reports", shown(report), f"a report; nearest: {near}")
        yield from _parameter_faults(name, entry, [r for r in reports if r in there])
        for recipient in _texts(entry.get("recipients")):
            if recipient not in known:
                near = nearest(recipient, known) or "none is named"
                problem = f"a name of [recipients.NAME]; nearest: {near}"
                yield Fault(f"{name}: recipients", shown(recipient), problem)
            else:
                yield from _left_empty(name, entry, recipient, recipients[recipient])
    delivery = raw.get("delivery", {})
    operator = delivery.get("operator", "") if isinstance(delivery, dict) else ""
    if operator and operator not in known:
        near = nearest(str(operator), known) or "none is named"
        yield Fault("[delivery] operator", shown(operator),
                    f"a name of [recipients.NAME]; nearest: {near}")  # fmt: skip


def _left_empty(
    name: str, entry: Mapping[str, Any], recipient: str, told: object
) -> Iterator[Fault]:
    """Find a recipient who would never get anything, though the entry names them."""
    lang = told.get("lang", "zh") if isinstance(told, dict) else "zh"
    langs = _texts(entry.get("langs", ["zh", "en"]))
    if langs and lang in ("zh", "en") and lang not in langs:
        problem = f'reads "{lang}", which is not one of langs: nothing would be sent'
        yield Fault(f"{name}: recipients", shown(recipient), problem)
    only = _texts(told.get("reports")) if isinstance(told, dict) else []
    made = [*_texts(entry.get("reports")), *(["card"] if entry.get("card") else [])]
    if only and made and not set(only) & set(made):
        problem = f"gets {', '.join(only)} alone: nothing would be sent"
        yield Fault(f"{name}: recipients", shown(recipient), problem)


def _texts(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _parameter_faults(
    name: str, entry: Mapping[str, Any], reports: Sequence[str]
) -> Iterator[Fault]:
    parameters = entry.get("parameters", {})
    for parameter, value in parameters.items() if isinstance(parameters, dict) else ():
        key = f"{name}: parameters.{parameter}"
        if parameter in OWN_PARAMETERS:
            yield Fault(key, shown(value), "a parameter of the report alone: the entry says these")
            continue
        for report in reports:
            try:
                checked_parameters(report, {parameter: value})
            except UnknownParameter:
                own = tuple(p for p in parameters_of(report) if p not in OWN_PARAMETERS)
                problem = f"{report} has no such parameter; nearest: "
                yield Fault(key, shown(value), problem + (nearest(parameter, own) or "it has none"))
            except BadParameter as error:
                yield Fault(key, shown(value), f"{report} wants a value of type {error.expected}")
