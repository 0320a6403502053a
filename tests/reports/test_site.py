"""The page over all runs: what stands on it, in both languages, whatever the records say."""

import json
import threading
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from salesops.reports.site import write_site
from tests.reports.runs import FAILURE, job, weekly, write_run

DAYS = ("2026-06-06", "2026-06-13", "2026-06-20")


def page(out: Path, lang: str = "en") -> BeautifulSoup:
    write_site(out)
    return BeautifulSoup((out / f"index.{lang}.html").read_text(encoding="utf-8"), "html.parser")


def rows(soup: BeautifulSoup) -> list[dict[str, str]]:
    """Read the newest reports: one per row, by the classes and places of its cells."""
    found = []
    for row in soup.select("table.index tr.row"):
        cells = [" ".join(cell.get_text(" ").split()) for cell in row.find_all("td")]
        heads = ("name", "line", "number", "change", "since", "state", "open")
        found.append(dict(zip(heads, cells, strict=True)) | {"scope": row.parent["data-s"]})
    return found


def test_only_the_newest_of_each_report_stands_on_top_and_earlier_ones_in_folds(tmp_path):
    weekly(tmp_path, DAYS, lambda n, day: [
        job(report, as_of=day, rows=day) for report in ("funnel", "stall")])  # fmt: skip
    soup = page(tmp_path)
    assert [row["name"] for row in rows(soup)] == ["Funnel", "Stalled deals"]
    first = soup.select_one("tr.row a.name")["href"]
    assert first == "20260620-220000/funnel.en.html"
    (fold,) = soup.select("#earlier details")
    assert "Jun 2026" in fold.summary.text
    assert "4 reports" in fold.summary.text
    linked = [a["href"] for a in fold.select("td a")]
    assert [a for a in linked if "funnel" in a] == [
        "20260613-220000/funnel.en.html", "20260606-220000/funnel.en.html"]  # fmt: skip


def test_a_report_is_held_against_the_run_before_and_against_the_period_before(tmp_path):
    values = (300_000.0, 250_000.0, 190_000.0)
    weekly(tmp_path, DAYS, lambda n, day: [job(as_of=day, rows=day, value=values[n],
                                               prior=150_000.0)])  # fmt: skip
    (row,) = rows(page(tmp_path))
    assert row["change"] == f"+¥{(190_000 - 150_000) // 1000}k better"
    assert row["since"] == f"−¥{(250_000 - 190_000) // 1000}k worse since 06-13"


def test_a_run_over_the_same_rows_is_no_run_before(tmp_path):
    rows_of = ("one", "two", "two")
    weekly(tmp_path, DAYS, lambda n, day: [job(as_of=day, rows=rows_of[n], value=(1e5, 3e5, 3e5)[n],
                                               state="kept" if n == 2 else "made")])  # fmt: skip
    (row,) = rows(page(tmp_path))
    assert row["since"] == "+¥200k better since 06-06"
    assert row["state"] == "unchanged"


def test_a_number_of_another_period_is_told_and_not_judged(tmp_path):
    weekly(tmp_path, ("2026-05-30", "2026-06-06"), lambda n, day: [
        job(as_of=day, rows=day, period=day[:7], value=(9e5, 1e5)[n])])  # fmt: skip
    soup = page(tmp_path)
    (row,) = rows(soup)
    assert row["since"] == "¥900k on 05-30, May 2026"
    assert not soup.select("td.bad")


def test_a_number_that_is_another_one_now_is_not_compared(tmp_path):
    weekly(tmp_path, DAYS[:2], lambda n, day: [
        job(as_of=day, rows=day, kind=("ratio", "money")[n], value=0.5)])  # fmt: skip
    assert rows(page(tmp_path))[0]["since"] == "—"


def test_a_run_of_older_data_does_not_take_the_place_of_the_newest(tmp_path):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job(as_of="2026-06-20", rows="a")])
    write_run(tmp_path, "2026-06-25T22:00:00+00:00", [job(as_of="2026-03-31", period="2026-03")])
    soup = page(tmp_path)
    assert soup.select_one("a.name")["href"].startswith("20260620-220000/")
    assert "Mar 2026" in soup.select_one("#earlier summary").text


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_failed_report_says_why_in_plain_words_and_leads_to_the_last_good_one(tmp_path, lang):
    weekly(tmp_path, DAYS, lambda n, day: [
        job(lang=lang, as_of=day, rows=day, failure=FAILURE if n == 2 else None),
        job("stall", lang=lang, as_of=day, rows=day)])  # fmt: skip
    soup = page(tmp_path, lang)
    failed = soup.select_one("tr.row.fail")
    assert failed.select_one(".badge").text == {"zh": "失败", "en": "failed"}[lang]
    why = failed.find_next_sibling("tr")
    assert FAILURE["cause"] in why.text
    assert FAILURE["cell"] in why.text
    assert FAILURE["traceback"] not in why.text
    assert why.select_one("a")["href"] == f"20260613-220000/funnel.{lang}.html"
    name = {"zh": "漏斗", "en": "Funnel"}[lang]
    assert name in soup.select_one(".verdict").text


def test_a_run_in_which_all_failed_is_shown(tmp_path):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job(failure=FAILURE)])
    (row,) = rows(page(tmp_path))
    assert row["state"] == "failed"


def test_scopes_and_periods_are_told_apart_and_the_company_comes_first(tmp_path):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [
        job(scope="team:North", whose="North"), job("targets", period="2026"), job()])  # fmt: skip
    soup = page(tmp_path)
    heads = [" ".join(th.get_text(" ").split()) for th in soup.select("tr.grp th")]
    assert heads == ["Whole company Jun 2026 · as of 2026-06-20",
                     "North Jun 2026 · as of 2026-06-20",
                     "Whole company 2026 · as of 2026-06-20"]  # fmt: skip
    offered = {name: [o.text for o in soup.select(f"#by-{name} option")][1:]
               for name in ("period", "scope", "report")}  # fmt: skip
    assert offered == {"period": ["Jun 2026", "2026"], "scope": ["Whole company", "North"],
                       "report": ["Funnel", "Targets"]}  # fmt: skip


def test_two_companies_in_one_folder_do_not_mix(tmp_path):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job(company="Acme", value=1e5)])
    write_run(tmp_path, "2026-06-21T22:00:00+00:00", [job(company="Beta", value=7e5, rows="b")])
    soup = page(tmp_path)
    assert [row["number"].split()[-1] for row in rows(soup)] == ["¥100k", "¥700k"]
    assert [row["since"] for row in rows(soup)] == ["—", "—"]
    assert [th.text.split(" · ")[0] for th in soup.select("tr.grp th")] == ["Acme", "Beta"]


BROKEN = {
    "half written": b'{"started": "2026-06-20T22:00',
    "empty": b"",
    "no record": b"[1, 2]",
    "no jobs": b'{"started": "2026-06-20T22:00:00+00:00"}',
    "jobs of another form": b'{"started": "2026-06-20T22:00:00+00:00", "jobs": [7]}',
    "no time": b'{"started": "soon", "jobs": []}',
    "no text": b"\xff\xfe\x00",
    "a number beyond all": json.dumps({
        "started": "2026-06-20T22:00:00+00:00", "jobs": [job(value=float("inf"))]}).encode(),
}  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_records_that_are_broken_are_left_out_and_named(tmp_path, lang):
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job()])
    for name, text in BROKEN.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        (folder / "run.json").write_bytes(text)
    soup = page(tmp_path, lang)
    assert len(rows(soup)) == 1
    named = [code.text for code in soup.select("ul.unread code")]
    assert named == sorted(f"{name.replace(' ', '-')}/run.json" for name in BROKEN)
    # What is wrong with the text of a record helps no reader of reports.
    assert "JSON" not in soup.select_one("ul.unread").text.replace("run.json", "")


def test_what_is_no_run_is_left_out_without_a_word(tmp_path):
    real = write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job()])
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job("stall")], run="latest")
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job("stall")], run=".run-x1")
    (tmp_path / "link").symlink_to(real)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "20260620-220000.json").write_text("{}")
    soup = page(tmp_path)
    assert [row["name"] for row in rows(soup)] == ["Funnel"]
    assert not soup.select("ul.unread")


def test_an_empty_folder_says_that_there_is_nothing(tmp_path):
    soup = page(tmp_path, "zh")
    assert soup.select_one(".verdict").text.strip() == "这里还没有报告。"


LONG = "x" * 10_000
HOSTILE = ("<script>document.title='hit'</script>", "{{7*7}}", LONG, "../../etc/passwd",
           '"><img src=http://127.0.0.1:9/x onerror=alert(1)>', "$(rm)", "\u202eabc", "=1+1",
           "javascript:alert(1)", "{% raw %}")  # fmt: skip


def hostile_run(out: Path) -> None:
    """Write a run whose every text is one that wants to do harm."""
    jobs = []
    for text in HOSTILE:
        for lang in ("zh", "en"):
            one = job(text, f"team:{text}", lang, whose=text, verdict=[text], period=text,
                      files={"html": text, "pdf": text, "xlsx": [text]})  # fmt: skip
            one["result"]["lead"] |= {"name": text, "kind": text}
            jobs.append(one)
            jobs.append(job(f"b{text}", text, lang, failure={**FAILURE, "cause": text,
                                                            "cell": text}))  # fmt: skip
    for hour in ("21", "22"):
        write_run(out, f"2026-06-20T{hour}:00:00+00:00", jobs, plan=LONG)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_texts_that_want_to_do_harm_stay_texts(tmp_path, lang):
    hostile_run(tmp_path)
    before = {path for path in tmp_path.parent.rglob("*") if path.name != "index.html"}
    soup = page(tmp_path, lang)
    text = (tmp_path / f"index.{lang}.html").read_text(encoding="utf-8")
    assert len(soup.find_all("script")) == 1
    assert not soup.find_all("img")
    assert "{{7*7}}" in soup.text
    assert "49" not in [cell.text for cell in soup.select("td")]
    assert "x" * 400 not in text
    for link in soup.find_all("a"):
        assert not link["href"].startswith(("javascript:", "http", "/", "..")), link
        assert "etc/passwd" not in link["href"]
    after = {path for path in tmp_path.parent.rglob("*") if path.name != "index.html"}
    made = {path.name for path in after - before}
    assert made <= {"index.zh.html", "index.en.html", ".kept", "font.json"}


def test_what_is_no_longer_there_is_not_linked(tmp_path):
    folder = write_run(tmp_path, "2026-06-20T22:00:00+00:00", [
        job(files={"html": "funnel.en.html", "pdf": "funnel.en.pdf"})])  # fmt: skip
    (folder / "funnel.en.pdf").unlink()
    links = [a.text for a in page(tmp_path).select("td.files a")]
    assert links == ["English"]


def test_names_of_files_keep_their_chinese_and_lose_what_addresses_are_made_of(tmp_path):
    files = {"html": "funnel.team-华东 50%#1?.en.html"}
    write_run(tmp_path, "2026-06-20T22:00:00+00:00", [job(scope="team:华东/一组", files=files)])
    href = page(tmp_path).select_one("a.name")["href"]
    assert href == "20260620-220000/funnel.team-华东%2050%25%231%3F.en.html"


def test_both_languages_show_the_same_reports(tmp_path):
    weekly(tmp_path, DAYS, lambda n, day: [job(lang=lang, scope=scope, as_of=day, rows=day)
           for scope in ("company", "team:North") for lang in ("zh", "en")])  # fmt: skip
    shown = [[(row["scope"], row["open"].count("English")) for row in rows(page(tmp_path, lang))]
             for lang in ("zh", "en")]  # fmt: skip
    assert shown[0] == shown[1]
    assert [n for _scope, n in shown[0]] == [1, 1]


def test_a_year_of_weekly_runs_of_a_hundred_reports_stays_small(tmp_path):
    teams = [f"team:华东/{n}组" for n in range(10)]
    reports = ["performance", "collection", "conversion", "funnel", "process", "diagnosis",
               "quality", "collaboration", "stall", "churn"]  # fmt: skip
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 14 - 1) for day in (2, 9, 16, 23)]
    days += ["2025-12-05", "2025-12-12", "2025-12-19", "2025-12-26"]
    weekly(tmp_path, sorted(days), lambda n, day: [
        job(report, team, "zh", as_of=day, rows=day, period=day[:7], whose=team[5:],
            value=1e6 + n * 1e4, verdict=["本月签了三百万元，离目标还差八百一十三万元；"] * 2)
        for team in teams for report in reports])  # fmt: skip
    soup = page(tmp_path, "zh")
    assert len(days) == 52
    assert len(rows(soup)) == 100
    assert len(soup.select("#earlier td a")) == 100 * 51
    assert (tmp_path / "index.zh.html").stat().st_size < 2_000_000


def test_runs_that_end_at_once_do_no_harm_and_no_reader_meets_half_a_page(tmp_path):
    def end(number: int) -> None:
        for hour in range(3):
            write_run(tmp_path, f"2026-06-2{number}T0{hour}:00:00+00:00",
                      [job(f"report{number}{hour}")])  # fmt: skip
            write_site(tmp_path)

    write_site(tmp_path)
    ends = [threading.Thread(target=end, args=(number,)) for number in range(3)]
    for one in ends:
        one.start()
    seen = 0
    while any(one.is_alive() for one in ends):
        text = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert text.rstrip().endswith("</html>")
        seen += 1
    assert seen > 0
    assert len(rows(page(tmp_path))) == 9
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [".kept"]
    index = BeautifulSoup((tmp_path / "index.zh.html").read_text(encoding="utf-8"), "html.parser")
    assert len(rows(index)) == 9
