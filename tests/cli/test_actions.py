"""The register on the command line: findings become actions, and are followed to their end."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from salesops.book.book import open_book
from salesops.book.registered import LAST
from salesops.checks.review import CHECKS
from salesops.metrics.actions import METRIC_OF, state_of
from salesops.metrics.catalogue import CATALOGUE
from salesops.model.finding import Finding
from salesops.sources.targetlock import LOCK, alone
from salesops.wording import language
from salesops.wording.catalogue import entries
from tests.bad_input.test_corpus import refused, salesops
from tests.fixtures import TINY

pytestmark = pytest.mark.usefixtures("laid_nowhere")


def found(code: str, severity: str, role: str, subject: str = "", **told: object) -> dict:
    finding = Finding(code=code, severity=severity, evidence={}, owner_role=role, subject=subject)
    fixed = {"at_stake": None, "evidence": {}, "due": "2026-04-14"}
    return {"id": finding.id, "code": code, "severity": severity, "subject": subject,
            "owner_role": role, **fixed, **told}  # fmt: skip


UNTOUCHED = found(
    "conversion.never_touched", "act", "manager", at_stake=1234.0,
    evidence={"n": 4, "n_untouched": 2, "untouched_share": 0.5, "norm": 0.02},
)  # fmt: skip
SEALED = found("diagnosis.no_contact", "watch", "legal")
ASKED = found("diagnosis.no_contact", "watch", "rep")
BEHIND = found("performance.group_behind_pace", "watch", "rep", "South/1",
               evidence={"group": "South/1"})  # fmt: skip
NOBODY = "nobody has the role, or several without a manager in common"
NOTED = found("diagnosis.undone_actions", "note", "manager")


@pytest.fixture
def company(tmp_path) -> Path:
    return shutil.copytree(TINY, tmp_path / "company")


def record(company: Path, *findings: dict, run: str = "20260401-090000") -> None:
    (company / "runs").mkdir(exist_ok=True)
    jobs = [{"scope": "company", "lang": lang, "result": {
        "as_of": "2026-03-31", "period": "2026Q1", "findings": list(findings)}}
        for lang in ("zh", "en")]  # fmt: skip
    jobs.append({"scope": "company", "lang": "en", "result": None})
    text = json.dumps({"run": run, "jobs": jobs})
    (company / "runs" / f"{run}.json").write_text(text, encoding="utf-8")


def actions(company: Path, *arguments: str) -> str:
    ended = salesops("actions", str(company), *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def rows(company: Path) -> pd.DataFrame:
    assert (company / "actions.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    return open_book(company).actions.order_by("id").to_pandas()


def test_what_is_to_act_on_or_to_watch_is_added_once_with_owner_due_and_baseline(company):
    record(company, SEALED, run="20260301-090000")
    record(company, UNTOUCHED, BEHIND, SEALED, NOTED)
    told = actions(company, "add", "--lang", "en")
    assert "2 added from run 20260401-090000" in told
    assert f"Not added, as {NOBODY}: {SEALED['id']} (legal" in told
    first, second = rows(company).to_dict("records")
    assert (first["id"], first["kind"], first["status"]) == ("M000001", "action", "open")
    assert (first["finding_id"], first["code"]) == (UNTOUCHED["id"], UNTOUCHED["code"])
    assert (first["owner_id"], first["scope"]) == ("u9", "company")
    assert str(first["due_on"])[:10] == "2026-04-14"
    # Four leads of the quarter are old enough, and two of them were never touched.
    assert (first["metric"], first["baseline"]) == ("never_touched_share", 2 / 4)
    assert pd.isna(first["expected_effect"])
    assert (second["owner_id"], second["scope"]) == ("u3", "team:South/1")
    again = actions(company, "add", "--owner", "Ann", "--expect", "-5%")
    assert f"{UNTOUCHED['id']} is in the register already: M000001." in again
    assert "1 added" in again
    third = rows(company).to_dict("records")[2]
    assert (third["owner_id"], third["expected_effect"]) == ("u1", -0.05)
    listed = actions(company)
    assert "1,234" in listed
    assert "on 2026-03-31: 3 open, 0 late, 0 done, 0 dropped" in listed


def test_what_several_are_to_see_to_is_for_the_manager_of_them_all(company):
    record(company, ASKED)
    told = actions(company, "add", "--lang", "en")
    assert "u9 (3 people are rep: their manager is to pass it on), due" in told
    assert rows(company)["owner_id"].tolist() == ["u9"]
    users = pd.read_csv(company / "users.csv")
    users.loc[0, "manager_id"] = "u2"
    users.to_csv(company / "users.csv", index=False)
    (company / "actions.csv").unlink()
    refused(salesops("actions", str(company), "add"), NOBODY)


def test_one_finding_is_added_by_its_id_and_again_once_it_has_ended(company):
    record(company, UNTOUCHED, SEALED)
    assert "1 added" in actions(company, "add", "--finding", UNTOUCHED["id"], "--due", "2026-05-01")
    assert str(rows(company)["due_on"].iloc[0])[:10] == "2026-05-01"
    actions(company, "done", "M000001")
    assert "1 added" in actions(company, "add", "--finding", UNTOUCHED["id"])
    with language("zh"):
        assert rows(company)["note"].iloc[0] == rows(company)["note"].iloc[1]
    ended = salesops("actions", str(company), "add", "--finding", SEALED["id"])
    refused(ended, NOBODY, f"--finding {SEALED['id']} --owner NAME")
    refused(salesops("actions", str(company), "add", "--finding", "DIA-000000"), "no finding DIA-0")


def test_an_action_names_the_person_or_stage_that_its_finding_speaks_of(company):
    record(company, found("diagnosis.sudden_wins", "watch", "manager", "u1"),
           found("diagnosis.no_role", "watch", "manager", "needs"))  # fmt: skip
    actions(company, "add", "--lang", "en")
    person, stage = rows(company).to_dict("records")
    assert (person["scope"], person["owner_id"]) == ("user:u1", "u9")
    assert stage["scope"] == "company"
    assert stage["note"].startswith("Needs: ")


def test_without_a_run_or_with_a_broken_record_it_is_told_what_to_do(company):
    refused(salesops("actions", str(company), "add"), "no run of reports", "salesops run diagnosis")
    (company / "runs").mkdir()
    (company / "runs" / "1.json").write_text("{}")
    refused(salesops("actions", str(company), "add"), "is broken", "make the reports again")
    record(company, NOTED)
    assert "found nothing to act on or to watch" in actions(company, "add")


def test_a_snag_and_a_decision_are_written_down_and_followed_to_their_end(company):
    actions(company, "snag", "=三份合同要盖章", "--owner", "Bo", "--due", "2026-03-31", "--scope",
            "team:North")  # fmt: skip
    told = actions(company, "decide", "Weekly review", "--metric", "win_rate", "--expect", "0.05",
                   "--scope", "team:North/1", "--due", "2026-04-30")  # fmt: skip
    assert "M000002 (decision) is written down, dated 2026-03-31." in told
    snag, decision = rows(company).to_dict("records")
    assert (snag["note"], snag["owner_id"], snag["scope"]) == (
        "=三份合同要盖章",
        "u2",
        "team:North",
    )
    assert (decision["metric"], decision["expected_effect"]) == ("win_rate", 0.05)
    assert f"Baseline: win_rate {decision['baseline']:.4g}" in told
    assert "M000002 is due on 2026-05-31, no longer on 2026-04-30" in actions(
        company, "due", "M000002", "2026-05-31"
    )
    assert "M000001 is done on 2026-03-31" in actions(company, "done", "M000001")
    assert "M000002 is dropped on 2026-04-02" in actions(
        company, "drop", "M000002", "--why", "Nobody came", "--on", "2026-04-02"
    )
    book = open_book(company).as_of("2026-04-02")
    frame = book.actions.order_by("id").to_pandas()
    assert frame["note"].tolist() == ["=三份合同要盖章", "Weekly review | Nobody came"]
    assert state_of(frame, book.date).tolist() == ["done", "dropped"]
    # On the day before it was given up nobody knew that it would be.
    before = open_book(company).as_of("2026-04-01")
    assert state_of(before.actions.order_by("id").to_pandas(), before.date)[1] == "open"
    refused(salesops("actions", str(company), "done", "M000001"), "it is done since 2026-03-31")


def test_rows_are_listed_by_state_owner_and_scope(company):
    (company / "actions.csv").write_text(
        "编号,备注,负责人,范围,截止日,状态\n"
        "M000001,late one,Ann,team:North/1,2026-03-30,进行中\n"
        "M000002,last day,Bo,team:North/1,2026-03-31,进行中\n"
        "M000003,given up,Cy,,2026-03-01,作废\n", encoding="utf-8",
    )  # fmt: skip
    assert "1 of 3 rows; on 2026-03-31: 1 open, 1 late, 0 done, 1 dropped." in actions(
        company, "list", "--state", "late"
    )
    assert "late one" in actions(company, "list", "--owner", "Ann", "--scope", "team:North")
    assert "No row of the register fits" in actions(company, "list", "--owner", "u9")
    assert "given up" in actions(company, "list", "--scope", "company")
    refused(salesops("actions", str(company), "list", "--state", "lost"), "open, late, done")
    refused(salesops("actions", str(company), "list", "--scope", "North"), "not written as side")
    refused(salesops("actions", str(company), "list", "--owner", "Anne"), "--owner Anne", "Ann")


def test_the_check_of_undone_actions_counts_those_that_are_late(company):
    (company / "actions.csv").write_text(
        "id,kind,due_on,status\nM1,action,2026-03-30,open\nM2,action,2026-03-30,dropped\n"
        "M3,snag,2026-03-30,open\nM4,action,2026-03-31,late\n", encoding="utf-8",
    )  # fmt: skip
    book = open_book(company)
    check = next(check for check in CHECKS if check.id == "undone_actions")
    assert check.look(book, book.period("2026Q1")).value == 1


def test_check_tells_what_was_read_otherwise_and_writes_it_so(company):
    kept = "编号,备注,截止日,状态,会议室\n,盖章,2026/4/5,,三楼\nM000007,x,2026/4/6,完成,\n"
    (company / "actions.csv").write_bytes(kept.encode("gb18030"))
    told = actions(company, "check")
    assert "line 2, due_on: '2026/4/5', read as 2026-04-05" in told
    assert "line 2, id: empty, read as M000008" in told
    assert "Done without a date" in told
    assert (company / "actions.csv").read_bytes() == kept.encode("gb18030")
    actions(company, "check", "--write")
    written = (company / "actions.csv").read_text("utf-8-sig").splitlines()
    assert written[0] == "编号,备注,截止日,状态,会议室,kind"
    assert written[1] == "M000008,盖章,2026-04-05,进行中,三楼,action"
    before = (company / "actions.csv").read_bytes()
    assert "0 cells were read otherwise" in actions(company, "check", "--write")
    assert (company / "actions.csv").read_bytes() == before
    assert (company / LAST).read_text() == "8\n"


def test_an_id_whose_row_was_deleted_is_not_given_again(company):
    actions(company, "snag", "one")
    actions(company, "snag", "two")
    lines = (company / "actions.csv").read_text("utf-8-sig").splitlines()
    (company / "actions.csv").write_text("\n".join(lines[:-1]), encoding="utf-8")
    actions(company, "snag", "three")
    assert rows(company)["id"].tolist() == ["M000001", "M000003"]


def test_a_register_that_an_import_wrote_becomes_the_one_that_people_edit(company, tmp_path):
    export, book = company, tmp_path / "book"
    (export / "actions.csv").write_text(
        "id,kind,created_at,due_on,status,note\n"
        "M000004,action,2026-03-01 02:00:00,2026-03-09,open,x\n",
        encoding="utf-8",
    )
    done = salesops("import", str(export), "--source", "canonical", "--into", str(book))
    assert done.returncode == 0, done.stderr
    assert (book / "actions.parquet").exists()
    assert "1 late" in actions(book)
    actions(book, "snag", "two")
    assert not (book / "actions.parquet").exists()
    assert rows(book)["id"].tolist() == ["M000004", "M000005"]
    assert rows(book)["created_at"].iloc[0] == pd.Timestamp("2026-03-01 02:00:00")


WRONG = {
    "unknown owner": (("snag", "x", "--owner", "Anne"), "owner_id Anne", "nearest: Ann"),
    "unknown team": (("snag", "x", "--scope", "team:West"), "no team West", "nearest"),
    "unknown metric": (("decide", "x", "--metric", "winrate"), "metric winrate", "win_rate"),
    "no date": (("due", "M000001", "soon"), "DATE 'soon'", "2026-07-15"),
    "two dates": (("due", "M000001", "3/5/2026"), "DATE '3/5/2026'", "2026-07-15"),
    "no number": (("decide", "x", "--expect", "much"), "--expect 'much'", "5%"),
    "due before it was made": (("due", "M000001", "2026-03-01"), "before created_at, 2026-03-31"),
    "done in the future": (("done", "M000001", "--on", "2199-01-01"), "lies in the future"),
    "no such row": (("drop", "M000009"), "it has no row M000009", "M000001"),
    "no text": (("snag", " "), "TEXT"),
    "another language": (("add", "--lang", "de"), "zh or en"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_be_meant_is_refused_and_the_file_left_as_it_is(company, case):
    arguments, *told = WRONG[case]
    actions(company, "snag", "first")
    before = (company / "actions.csv").read_bytes()
    refused(salesops("actions", str(company), *arguments), *told)
    assert (company / "actions.csv").read_bytes() == before
    assert not (company / LOCK).exists()


def test_databases_are_read_and_never_written_to(company, tmp_path):
    import duckdb

    file = tmp_path / "one.duckdb"
    with duckdb.connect(str(file)) as con:
        con.execute("create table opportunities as select 'd1' as id, 'needs' as stage, "
                    "timestamp '2026-03-01' as created_at")  # fmt: skip
        con.execute("create table actions as select 'M000001' as id, 'open' as status, 'y' as note")
    assert "1 open" in actions(file)
    refused(salesops("actions", str(file), "snag", "x"), "a database is never written to")
    refused(salesops("actions", "postgres://a:b@h/s", "snag", "x"), "never written to")
    refused(salesops("actions", str(tmp_path / "none"), "snag", "x"), "is not a book")


def test_who_comes_second_is_told_and_nothing_is_lost(company):
    actions(company, "snag", "one")
    before = (company / "actions.csv").read_bytes()
    with alone(company, "张伟"):
        refused(salesops("actions", str(company), "snag", "two"), "is being written to by 张伟")
        assert "1 open" in actions(company)
    assert (company / "actions.csv").read_bytes() == before


def test_two_processes_at_once_lose_nothing_and_share_no_id(company):
    command = [sys.executable, "-m", "salesops", "actions", str(company), "snag"]
    both = [subprocess.Popen([*command, f"snag {n}"], stderr=subprocess.PIPE, text=True,
                             stdout=subprocess.DEVNULL) for n in range(2)]  # fmt: skip
    ends = [(process.communicate()[1], process.returncode) for process in both]
    written = rows(company)
    assert len(written) == sum(code == 0 for _said, code in ends) >= 1
    assert written["id"].is_unique
    assert all(code == 0 or "is being written to by" in said for said, code in ends)
    assert not (company / LOCK).exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from salesops.cli.main import main
whole = Path.replace
def cut(self, target):
    if Path(target).name == "actions.csv":
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, target)
Path.replace = cut
main(["actions", sys.argv[1], "snag", "never written"])
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_a_writer_that_is_killed_leaves_the_old_register_whole(company):
    actions(company, "snag", "one")
    before = (company / "actions.csv").read_bytes()
    ended = subprocess.run([sys.executable, "-c", KILLED, str(company)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (company / "actions.csv").read_bytes() == before
    refused(salesops("actions", str(company), "snag", "x"), "it was cut off: delete")
    (company / LOCK).unlink()
    actions(company, "snag", "two")
    # The number that was about to be given is lost, not given twice.
    assert rows(company)["id"].tolist() == ["M000001", "M000003"]


def test_each_metric_and_finding_of_the_map_is_there():
    known = entries()
    assert [code for code in METRIC_OF if f"{code}.action" not in known] == []
    assert set(METRIC_OF.values()) <= set(CATALOGUE)


def test_states_are_those_of_the_day():
    frame = pd.DataFrame({
        "status": ["open", "late", "done", "done", "dropped", None],
        "due_on": ["2026-03-04", "2026-03-05", None, "2026-03-01", "2026-03-01", None],
        "done_on": [None, None, None, "2026-03-06", None, None],
    })  # fmt: skip
    found_ = state_of(frame, dt.date(2026, 3, 5)).tolist()
    assert found_ == ["late", "open", "done", "late", "dropped", "open"]
    assert state_of(frame, dt.date(2026, 3, 6)).tolist()[:4] == ["late", "late", "done", "done"]
    assert state_of(frame.iloc[:0], dt.date(2026, 3, 5)).empty


def test_the_help_teaches_with_examples():
    for command in ([], ["x", "list"], ["x", "add"], ["x", "snag"], ["x", "done"], ["x", "check"]):
        said = salesops("actions", *command, "--help").stdout
        assert "salesops actions data/sample" in said, command
