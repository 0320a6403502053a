"""The import: read, map, check everything, then write the book at once or not at all."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from salesops.book.write import NoPlace, typed, write_store
from salesops.model.errors import SalesopsError
from salesops.sources.canonical import NAME as CANONICAL
from salesops.sources.choosing import (
    Chosen,
    chosen,
    named,
    refuse_rows_of_several,
    told_hints,
)
from salesops.sources.dayforms import with_day_forms
from salesops.sources.importlog import FILE as LOG
from salesops.sources.importlog import Imported, digest_of, digests, log_text, read_log
from salesops.sources.layoutasks import with_layouts_settled
from salesops.sources.mapping import StageTable
from salesops.sources.mappingtext import write_mapping
from salesops.sources.naming import first_meant
from salesops.sources.parsing import Fault
from salesops.sources.pastreading import changes_told, pasts_of, rows_of_logs
from salesops.sources.questions import Desk, Nobody, Question, Talk
from salesops.sources.readers import Sheet, list_files, under_each_other
from salesops.sources.reading import Reading
from salesops.sources.recognising import bind
from salesops.sources.report import FILE as ASIDE
from salesops.sources.report import ImportReport, kept_by_people
from salesops.sources.seeing import Look, Seen, look_at
from salesops.sources.setaside import (
    Corrected,
    aside_text,
    read_corrected,
    refuse_other_rows,
    refuse_too_many,
)
from salesops.sources.settling import (
    Settled,
    Words,
    in_its_currency,
    settled_stages,
    words_for,
)
from salesops.sources.severalexports import refuse_several
from salesops.sources.shapes import arrow_of, assumptions
from salesops.sources.showing import mapping_lines
from salesops.sources.successive import Logged, carried_history, export_time, with_earlier
from salesops.sources.surprises import GONE, OTHER, ask_of_other_system, watch
from salesops.sources.tabling import Part, assembled, counted, parts_of, unread_ids
from salesops.sources.targetlock import alone
from salesops.sources.validate import Oddity, find_faults, find_oddities
from salesops.sources.yearless import with_years


@dataclass(eq=False, kw_only=True)
class Declined(SalesopsError, ValueError):
    """A person did not agree to a mapping."""

    where: str

    def __str__(self) -> str:
        return (
            f"Nothing was written: you did not agree to the mapping of {self.where}.\n"
            "Expected: a column of the export for each of ours.\n"
            "Name those that are wrong, such as --answer amount=COLUMN, or none: --answer "
            "amount=none; or import it as it is, edit BOOK/mapping.toml, and import again with "
            "--source BOOK/mapping.toml."
        )


@dataclass(frozen=True, eq=False)
class _Read:
    """What was made of an export: tables, history, and what is wrong with which rows."""

    frames: dict[str, pd.DataFrame]
    tracked: Logged
    faults: tuple[Fault, ...]
    settled: Settled
    parts: list[Part]
    taken: list[tuple[str, pd.Index]]


def import_path(
    path: str | Path,
    *,
    into: str | Path,
    source: str | None = None,
    dry_run: bool = False,
    exported_at: str | None = None,
    yes: bool = False,
    answers: Mapping[str, str] | None = None,
    talk: Talk | None = None,
    strict: bool = False,
    older: bool = False,
    corrected: str | Path | None = None,
    mapping_out: str | Path | None = None,
) -> ImportReport:
    """Turn an export into a book, or add a later export to one.

    Parameters
    ----------
    path
        File or folder of the export.
    into
        The book's folder.
    source
        A mapping by name or file; by default that of the book, else of the system that the export
        is recognised as, else one that is proposed.
    dry_run
        Read and check all, write nothing.
    exported_at
        ISO date or datetime of the export; by default the last date that it knows of.
    yes
        Take the default of a question where that is safe; the others are still refused.
    answers
        Answers to questions by their keys, such as `{"stage": "阶段"}`.
    talk
        Who is asked and told; by default nobody.
    strict
        Refuse an export with a single row that can't be read, instead of setting a few aside.
    older
        Put an export into the history that is older than what the book knows.
    corrected
        The rows of this export that were set aside before, corrected by a person.

    mapping_out
        File to write the mapping to, before a value is read by it.

    Returns
    -------
    ImportReport
        What was read, mended, set aside, written, and what the data can't answer.

    Raises
    ------
    UnknownSource, BadMapping, UnreadableFile, MissingTable, MissingColumn, BadRows, NoPlace
        One error with all faults of the input; nothing is written.
    NoDeals, Unanswered, BadAnswer, Declined
        What the export is could not be settled; nothing is written.
    OlderExport, UndatedExport, OtherRecords, Unanswered
        It can't follow what the book knows; nothing is written.
    SeveralExports
        Two files of it tell of the same records; nothing is written.
    BadCorrections
        The corrected rows are none of this export.
    BookBusy
        Somebody is writing to the book meanwhile; nothing is written.
    """
    book = Path(into)
    files = list_files(Path(path))
    if any(file.resolve().parent == book.resolve() for file in files):
        # Its tables would take the place of files of the same name.
        raise NoPlace(where=str(into), reason="the export itself lies there")
    desk = Desk(str(path), answers or {}, talk or Nobody(), yes, always_show=dry_run)
    found, look = _chosen(files, book, source, desk, str(path))
    hand = read_corrected(corrected) if corrected is not None else {}
    record = Imported(
        exported_at=pd.Timestamp(0).to_pydatetime(), asked_at=exported_at or "",
        source=found.mapping.name, verified=found.mapping.verified, files=digests(files),
        inputs=(_inputs(found.text, hand),),
    )  # fmt: skip
    past = read_log(book)
    report = ImportReport(
        source=found.mapping.name, title=found.mapping.title, into="" if dry_run else str(into),
        read={}, rows={}, verified=found.mapping.verified,
        cannot=found.mapping.cannot,
    )  # fmt: skip
    if past and not answers and _is_same(past[-1], record):
        return replace(report, unchanged=True, into=str(into), answered=tuple(desk.answered))
    if past and past[-1].files != record.files:
        ask_of_other_system(past[-1].source, found.mapping.name, desk)
    words = words_for(book, found.mapping, found.source, Path(path))
    reading = Reading(files, found.mapping, found.mapping.zone or words.settings.company.zone,
                      words.settings.company.zone, desk.talk.progress, hand,
                      words.told_currency or found.mapping.currency)  # fmt: skip
    found = _agreed(found, look, reading, desk, exported_at)
    if mapping_out is not None:
        write_mapping(mapping_out, found.text)
    if corrected is not None:
        refuse_other_rows(corrected, hand, list(reading.sheets.values()))
    desk.talk.progress("Checking")
    read = _read(reading, words, desk, strict=strict, where=str(path))
    found = found.changed(read.settled.mapping)
    if past:
        desk.looked_at |= {GONE, OTHER}
    desk.refuse_unused()
    counts = counted(reading, read.taken, read.faults)
    report = replace(
        report, unreadable=tuple((e.where, e.reason) for e in look.unreadable) if look else (),
        read={s.where: len(s.frame) for s in reading.sheets.values()}, counts=counts,
        rows={name: len(frame) for name, frame in read.frames.items()},
        mended=tuple(reading.mended), oddities=_oddities(read), unmapped=reading.unmapped(),
        not_taken=_not_taken(files, look, reading),
        absent=tuple(dict.fromkeys(reading.absent)), stages=read.settled.put_in,
        assumed=assumptions(found.mapping, read.settled.words.settings, words.where),
        aside=read.faults,
    )  # fmt: skip
    look = None
    return _written(report, read, reading, found, desk, book, record, past,
                    exported_at=exported_at, older=older, dry_run=dry_run)  # fmt: skip


def _chosen(
    files: list[Path], book: Path, source: str | None, desk: Desk, where: str
) -> tuple[Chosen, Look | None]:
    """Take the mapping that was named; look at the files only where this is needed."""
    hints = told_hints(desk)
    looks: list[Look] = []

    def look(whole: bool) -> Look:
        looks.append(look_at(files, desk.talk.progress, hints=hints, whole=whole))
        refuse_rows_of_several(looks[-1], hints)
        return looks[-1]

    if source is None:
        return chosen(look, book, desk, where), looks[-1]
    found = named(source)
    names = [file.name for file in files]
    meant = [(len(first_meant(names, rows.files)), rows.optional)
             for parts in found.mapping.tables.values() for rows in parts]  # fmt: skip
    if all(n == 1 or (is_optional and not n) for n, is_optional in meant):
        return found, None
    bound, rebound = bind(found.mapping, look(False))
    lines = tuple(f"{now} is read as {was}, by its columns" for was, now in rebound)
    return replace(found.changed(bound), lines=lines), looks[-1]


def _inputs(text: str, hand: Corrected) -> str:
    return digest_of(text, repr(sorted(hand.items())))


def _is_same(last: Imported, now: Imported) -> bool:
    same = (last.files, last.asked_at) == (now.files, now.asked_at)
    return same and set(now.inputs) <= set(last.inputs)


def _agreed(
    found: Chosen, look: Look | None, reading: Reading, desk: Desk, exported_at: str | None
) -> Chosen:
    """Show the mapping, and ask whether it is right where nobody has held it against anything."""
    if look is not None:
        reading.sheets_seen = {(seen.file, seen.sheet, seen.hints): seen.read
                               for seen in look.sheets if seen.is_whole}  # fmt: skip
    reading.open_all()
    sheets = _opened(reading)
    settled = with_layouts_settled(found.mapping, sheets, desk)
    if settled != found.mapping:
        found = found.changed(settled)
        reading.read_again(settled)
        sheets = _opened(reading)
    found = found.changed(with_day_forms(found.mapping, sheets, desk))
    when = (exported_at or "") if found.of_book else ""
    found = found.changed(with_years(found.mapping, sheets, desk, when))
    reading.mapping = found.mapping
    reasons = found.proposal.reasons if found.proposal else None
    notes = [line for seen in sheets.sheets for line in seen.read.layout.lines()]
    notes += found.proposal.notes if found.proposal else ()
    notes += [f"Not read: {e.where}, because {e.reason}" for e in look.unreadable] if look else []
    shown: list[str] = []
    if (look is not None or desk.always_show) and not isinstance(desk.talk, Nobody):
        shown = (
            []
            if found.of_book or found.source == CANONICAL
            else mapping_lines(found.mapping, sheets, reasons)
        )
        desk.talk.show([*found.lines, *shown, *notes])
    questions = []

    def evidence() -> tuple[str, ...]:
        # To look at all values of large tables takes its time.
        return () if shown else tuple(mapping_lines(found.mapping, sheets, reasons))

    if found.proposal is not None:
        questions.append(Question(
            key="mapping", text="Is this mapping right?", candidates=("yes", "no"), default="yes",
            safe=True, evidence=evidence(),
        ))  # fmt: skip
    elif found.mapping.verified == "assumed" and not found.of_book:
        questions.append(Question(
            key="assumed", candidates=("yes", "no"), default="yes",
            text=f"The names of {found.mapping.title} are assumed: neither a documentation nor a "
                 "real file of it was at hand. Is the mapping right?",
            evidence=evidence(),
        ))  # fmt: skip
    if questions and "no" in desk.decide(*questions):
        raise Declined(where=desk.where)
    return found


def _opened(reading: Reading) -> Look:
    return Look([Seen(name, sheet, hints, read)
                 for (name, sheet, hints), read in reading.sheets.items()])  # fmt: skip


def _not_taken(files: Sequence[Path], look: Look | None, reading: Reading) -> tuple[str, ...]:
    """Name the sheets, or files where nobody looked inside, that no table takes."""
    if look is not None:
        read = {sheet.where for sheet in reading.sheets.values()}
        return tuple(seen.where for seen in look.sheets if seen.where not in read)
    opened = {name for name, _sheet, _hints in reading.sheets}
    return tuple(file.name for file in files if file.name not in opened)


def _read(reading: Reading, words: Words, desk: Desk, *, strict: bool, where: str) -> _Read:
    """Make tables of the rows that can be read; a row with a fault is in none of them."""
    parts = parts_of(reading)
    pasts = pasts_of(reading)
    parts += rows_of_logs(pasts, reading)
    refuse_several(where, parts)
    faults = list(reading.faults)
    read = {sheet.where: len(sheet.frame) for sheet in reading.sheets.values()}

    def stage_table(table: StageTable) -> Sheet | None:
        return under_each_other(reading.sheets_of(table.files, table.sheet))

    named = [part.frame["currency"] for part in parts
             if part.table == "opportunities" and "currency" in part.frame]  # fmt: skip
    words = in_its_currency(words, reading.mapping, named, reading.said, desk)
    while True:
        refuse_too_many(where, faults, read, strict=strict)
        bad: dict[str, set[int]] = {}
        for fault in faults:
            bad.setdefault(fault.where, set()).add(fault.row)
        frames, places = assembled(parts, bad)
        changes, tracked = changes_told(pasts, reading, frames, bad)
        settled = settled_stages(words, reading.mapping, frames, changes, stage_table, desk)
        reading.mapping = settled.mapping
        more = find_faults(frames, settled.words.settings, places)
        if not more:
            break
        faults += more
    if len(changes):
        frames["changes"] = changes
    return _Read(frames, tracked, tuple(faults), settled, parts,
                 [*((part.where, part.frame.index) for part in parts),
                  *((past.where, past.rows) for past in pasts)])  # fmt: skip


def _oddities(read: _Read) -> tuple[Oddity, ...]:
    return tuple(find_oddities(read.frames, read.settled.words.settings))


def _written(
    report: ImportReport, read: _Read, reading: Reading, found: Chosen, desk: Desk, book: Path,
    record: Imported, past: list[Imported], *, exported_at: str | None, older: bool, dry_run: bool,
) -> ImportReport:  # fmt: skip
    """Add what the book knows already, and write it; for a dry run only the first."""
    settings = read.settled.words.settings
    unread = unread_ids(read.parts, read.faults)
    aside = aside_text(read.faults, list(reading.sheets.values())) if read.faults else ""
    # Of a large export every form lies in memory only until the next one is made of it.
    read.parts.clear()
    reading.let_go()
    tables = {n: typed(n, arrow_of(n, read.frames.pop(n))) for n in list(read.frames)}
    when = export_time(exported_at or _same_export(past, record), tables, settings)
    logged = carried_history(tables) | read.tracked
    untouched = kept_by_people(book)
    desk.talk.progress("Comparing with the last export" if past else "Writing the book")
    # What is handed in after the book was read would be lost when it is written.
    with nullcontext() if dry_run or not book.is_dir() else alone(book, "an import"):
        known = past[-1].exported_at if past else when
        same = bool(past) and past[-1].files == record.files
        tables, changed = with_earlier(
            tables, book, when, logged, unread=unread, older=older,
            surprises=watch(desk, known, replaces=same),
        )  # fmt: skip
        if not dry_run:
            inputs = (*record.inputs, _inputs(found.text, reading.corrected))
            done = record.model_copy(update={"exported_at": when, "rows": report.counts,
                                             "inputs": tuple(dict.fromkeys(inputs))})  # fmt: skip
            kept = past[:-1] if same else past
            extra = {"mapping.toml": found.text, LOG: log_text([*kept, done])}
            if aside:
                extra[ASIDE] = aside
            desk.talk.progress("Writing the book")
            write_store(book, tables, settings_toml=read.settled.words.text, extra=extra)
            if not read.faults:
                (book / ASIDE).unlink(missing_ok=True)
    return replace(
        report, changed=changed, rows={name: table.num_rows for name, table in tables.items()},
        answered=tuple(desk.answered), untouched=untouched,
    )  # fmt: skip


def _same_export(past: list[Imported], record: Imported) -> str | None:
    """Give the same files, read otherwise, the time that they had."""
    if past and past[-1].files == record.files:
        return past[-1].exported_at.isoformat() + "+00:00"
    return None
