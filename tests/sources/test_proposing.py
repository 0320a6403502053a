"""A mapping for exports of no known system: proposed from names and values, asked where unsure."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from salesops.analyses.funnel import funnel
from salesops.book.book import Book, open_book
from salesops.sources.importing import Declined, import_path
from salesops.sources.mapping import read_mapping
from salesops.sources.proposing import NoDeals
from salesops.sources.questions import BadAnswer, Question, Unanswered
from tests.sources.companies import PEOPLE, STAGES, ledger_rows, write_csv, write_ledger


class Person:
    """Answers as told, and remembers what was asked and shown."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.shown: list[str] = []

    def ask(self, question: Question) -> str | None:
        self.asked.append(question.key)
        return self.answers.get(question.key, question.default) or None

    def show(self, lines) -> None:
        self.shown += lines

    def progress(self, text: str) -> None:
        pass


def deals(book: Book) -> pd.DataFrame:
    return book.opportunities.to_pandas().set_index("id")


def imported(path: Path, folder: Path, **options) -> Book:
    options = {"yes": True} | options
    import_path(path, into=folder / "book", **options)
    return open_book(folder / "book")


def asked(path: Path, folder: Path, **options) -> dict[str, Question]:
    with pytest.raises(Unanswered) as error:
        import_path(path, into=folder / "book", yes=True, **options)
    assert not (folder / "book").exists()
    return {question.key: question for question in error.value.questions}


def test_a_ledger_kept_by_hand_becomes_a_book_without_a_question(tmp_path):
    book = imported(write_ledger(tmp_path / "台账.xlsx"), tmp_path)
    rows = ledger_rows()
    found = deals(book)
    assert sorted(found.index) == sorted(str(row[1]) for row in rows)
    total = sum((Decimal(str(row[4])) * 10_000 for row in rows), Decimal(0))
    assert found["amount"].sum() == total
    assert found.loc["项目0", "owner_id"] == PEOPLE[0]
    won = [row for row in rows if row[3] == "已签约"]
    assert (found["outcome"] == "won").sum() == len(won) == 10
    first = won[0]
    assert found.loc[first[1], "closed_at"] == pd.Timestamp(first[7]) - pd.Timedelta(hours=8)
    assert book.settings.stage_ids("open") == STAGES[:4]
    assert book.settings.stage_ids("won") == ("已签约",)
    assert book.n("accounts") == 17
    assert book.n("users") == 3
    assert len(funnel(book).stages) == 4


def test_the_mapping_is_shown_with_values_and_units_before_it_is_asked(tmp_path):
    person = Person()
    import_path(write_ledger(tmp_path / "台账.xlsx"), into=tmp_path / "book", talk=person)
    assert person.asked == ["mapping"]
    (amount,) = [line for line in person.shown if "amount" in line]
    assert amount.split()[:3] == ["预计金额(万元)", "→", "amount"]
    assert "× 10,000" in amount
    assert any("项目名称 tells its rows apart" in line for line in person.shown)


def test_who_says_no_gets_told_how_to_say_it_otherwise_and_nothing_is_written(tmp_path):
    with pytest.raises(Declined) as error:
        import_path(write_ledger(tmp_path / "台账.xlsx"), into=tmp_path / "book",
                    talk=Person(mapping="no"))  # fmt: skip
    assert "--answer amount=COLUMN" in str(error.value)
    assert not (tmp_path / "book").exists()


def test_without_a_person_and_without_yes_the_mapping_is_refused_with_the_option(tmp_path):
    with pytest.raises(Unanswered) as error:
        import_path(write_ledger(tmp_path / "台账.xlsx"), into=tmp_path / "book")
    assert "当前进展" in str(error.value)
    assert "Write: --yes, or --answer mapping=yes" in str(error.value)


HEAD = ["Deal No", "Client", "Rep", "Phase", "Deal Status", "Value", "Opened", "Close Date"]
PHASES = ["Intro", "Fit check", "Paper"]


def english(path: Path, day: str = "%d/%m/%Y", last: int = 28, sign: str = "$") -> Path:
    rows: list[list[object]] = [list(HEAD)]
    for i in range(50):
        opened = dt.date(2026, 1 + i % 3, 1 + i % last)
        status = ["Open", "Open", "Won", "Lost"][i % 4]
        rows.append([f"X{i}", f"C{i % 9}", ["Ann", "Bob"][i % 2], PHASES[i % 3], status,
                     f"{sign}{1000 * i + 900_000:,}.00", opened.strftime(day),
                     dt.date(2026, 4 + i % 3, 1 + i % last).strftime(day)])  # fmt: skip
    return write_csv(path, rows)


def test_stages_that_nobody_knows_are_asked_in_one_line(tmp_path):
    path = english(tmp_path / "deals.csv")
    (question,) = asked(path, tmp_path).values()
    assert question.key == "stages"
    assert question.default == "Intro>Fit check>Paper; won=Won; lost=Lost"
    assert "'stages=Intro>Fit check>Paper; won=Won; lost=Lost'" in question.option()
    told = {"stages": "Fit check>Intro>Paper; won=Won; lost=Lost"}
    book = imported(path, tmp_path, answers=told)
    assert book.settings.stage_ids("open") == ("Fit check", "Intro", "Paper")
    for wrong, why in [("Intro>Paper; won=Won; lost=Lost", "Fit check"),
                       ("Intro>Fit check>Paper>Paper; won=Won; lost=Lost", "named twice"),
                       ("Intro>Fit check>Papers; won=Won; lost=Lost", "no stage")]:  # fmt: skip
        with pytest.raises(BadAnswer, match=why):
            import_path(path, into=tmp_path / "other", answers={"stages": wrong}, yes=True)


def test_a_status_beside_the_stage_says_which_deals_have_ended(tmp_path):
    told = {"stages": "Intro>Fit check>Paper; won=Won; lost=Lost"}
    book = imported(english(tmp_path / "deals.csv"), tmp_path, answers=told)
    outcomes = deals(book)["outcome"].value_counts().to_dict()
    assert outcomes == {"open": 26, "won": 12, "lost": 12}


def test_a_closing_date_of_open_deals_is_what_is_expected(tmp_path):
    told = {"stages": "Intro>Fit check>Paper; won=Won; lost=Lost"}
    found = deals(imported(english(tmp_path / "deals.csv"), tmp_path, answers=told))
    assert pd.isna(found.loc["X0", "closed_at"])
    assert pd.Timestamp(found.loc["X0", "expected_close_on"]) == pd.Timestamp("2026-04-01")
    # The second deal of four that has ended.
    assert found.loc["X2", "closed_at"] == pd.Timestamp("2026-06-03") - pd.Timedelta(hours=8)


@pytest.mark.parametrize("day", ["%d/%m/%Y", "%m/%d/%y", "%d.%m.%Y", "%m-%d-%Y"])
def test_one_day_after_the_twelfth_tells_how_all_days_are_written(tmp_path, day):
    told = {"stages": "Intro>Fit check>Paper; won=Won; lost=Lost"}
    found = deals(imported(english(tmp_path / "deals.csv", day), tmp_path, answers=told))
    opened = pd.Timestamp("2026-03-06") - pd.Timedelta(hours=8)
    assert found.loc["X5", "created_at"] == opened


def test_days_that_can_all_be_read_in_two_ways_are_asked_about(tmp_path):
    path = english(tmp_path / "deals.csv", last=12)
    told = {"stages": "Intro>Fit check>Paper; won=Won; lost=Lost"}
    (question,) = asked(path, tmp_path, answers=told).values()
    assert (question.key, question.candidates) == ("dates", ("day", "month"))
    for first, opened in [("day", "2026-03-06"), ("month", "2026-06-03")]:
        book = imported(path, tmp_path / first, answers=told | {"dates": first})
        assert deals(book).loc["X5", "created_at"] == pd.Timestamp(opened) - pd.Timedelta(hours=8)


def test_the_currency_is_that_of_the_signs_else_it_is_asked(tmp_path):
    told = {"stages": "Intro>Fit check>Paper; won=Won; lost=Lost"}
    book = imported(english(tmp_path / "deals.csv"), tmp_path, answers=told)
    assert book.settings.company.currency == "USD"
    plain = english(tmp_path / "plain.csv", sign="")
    assert list(asked(plain, tmp_path / "b", answers=told)) == ["currency_code"]
    other = imported(plain, tmp_path / "b", answers=told | {"currency_code": "GBP"})
    assert other.settings.company.currency == "GBP"
    with pytest.raises(BadAnswer, match="ISO code"):
        imported(plain, tmp_path / "c", answers=told | {"currency_code": "pounds"})


def simple(path: Path, head: list[str], amounts: list[object] | None = None) -> Path:
    rows: list[list[object]] = [list(head)]
    for i in range(24):
        row = [f"N{i}", STAGES[i % 6], (amounts or [80_000 + i])[i % len(amounts or [1])],
               f"2026-01-{1 + i:02d}"]  # fmt: skip
        rows.append([*row, *["x"] * (len(head) - 4)])
    return write_csv(path, rows, "gb18030")


def test_small_amounts_without_a_unit_are_asked_about(tmp_path):
    path = simple(tmp_path / "商机.csv", ["商机编号", "阶段", "金额", "创建日期"], [35.5, 120])
    (question,) = asked(path, tmp_path).values()
    assert question.key == "amount.unit"
    assert "the largest is 120" in " ".join(question.evidence)
    book = imported(path, tmp_path, answers={"amount.unit": "wan"})
    assert deals(book).loc["N0", "amount"] == Decimal("355000.00")
    large = simple(tmp_path / "大.csv", ["商机编号", "阶段", "金额", "创建日期"])
    assert deals(imported(large, tmp_path / "l")).loc["N0", "amount"] == Decimal("80000.00")


def test_names_under_those_of_groups_are_believed_where_they_say_enough(tmp_path):
    book = openpyxl.Workbook()
    for row in (["基本信息", None, "进展", None], ["项目名称", "客户名称", "当前阶段", "登记日期"]):
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    book.active.merge_cells("C1:D1")
    for i in range(24):
        book.active.append([f"项目{i}", f"客户{i % 5}", STAGES[i % 6], dt.date(2026, 1, 1 + i)])
    book.save(tmp_path / "台账.xlsx")
    found = deals(imported(tmp_path / "台账.xlsx", tmp_path))
    assert found.loc["项目7", "account_id"] == "客户2"


def test_two_columns_that_could_both_be_the_amount_are_asked_about(tmp_path):
    head = ["商机编号", "阶段", "合同额", "创建日期"]
    rows = [[*row, 99_000] for row in
            [["", "", "", ""], *[[f"N{i}", STAGES[i % 6], 80_000 + i, "2026-01-05"]
                                 for i in range(20)]]]  # fmt: skip
    rows[0] = [*head, "预计金额"]
    path = write_csv(tmp_path / "商机.csv", rows)
    (question,) = asked(path, tmp_path).values()
    assert question.key == "amount"
    assert set(question.candidates) == {"合同额", "预计金额", "none"}
    book = imported(path, tmp_path, answers={"amount": "预计金额"})
    assert set(deals(book)["amount"]) == {Decimal("99000.00")}
    none = imported(path, tmp_path / "n", answers={"amount": "none"})
    assert not none.has("opportunities.amount")


def test_part_of_a_name_is_asked_about_and_an_answer_may_name_any_column(tmp_path):
    path = simple(tmp_path / "商机.csv", ["商机编号", "阶段", "首批签约金额汇总", "创建日期"])
    assert list(asked(path, tmp_path)) == ["amount"]
    with pytest.raises(BadAnswer) as error:
        import_path(path, into=tmp_path / "book", answers={"amount": "签约金额"}, yes=True)
    assert "首批签约金额汇总" in str(error.value)
    with pytest.raises(BadAnswer, match="nothing of that name"):
        import_path(path, into=tmp_path / "book", yes=True,
                    answers={"amount": "首批签约金额汇总", "amuont": "x"})  # fmt: skip


def test_rows_that_nothing_tells_apart_count_by_their_place_and_this_is_said(tmp_path):
    rows = [["客户", "阶段", "金额", "创建日期"], *[["甲", "需求沟通", 90_000, "2026-01-05"]] * 5]
    person = Person()
    import_path(write_csv(tmp_path / "商机.csv", rows), into=tmp_path / "book", talk=person)
    assert any("the number of the row" in line for line in person.shown)
    assert open_book(tmp_path / "book").n("opportunities") == 5


def log_of_stages(path: Path) -> tuple[Path, dict[str, str]]:
    """Write when each deal entered which stage, and give the last stage of each."""
    rows: list[list[object]] = [["商机编号", "阶段", "进入时间", "操作人"]]
    last = {}
    for i in range(30):
        at = dt.datetime(2026, 1, 5, 9) + dt.timedelta(days=i)
        for stage in [*STAGES[: 1 + i % 4], *(STAGES[4:5] if i % 4 == 3 else [])]:
            rows.append([f"S{i}", stage, at.strftime("%Y-%m-%d %H:%M"), PEOPLE[i % 3]])
            last[f"S{i}"] = stage
            at += dt.timedelta(days=6)
    return write_csv(path, rows), last


def test_a_bare_log_of_stages_becomes_deals_with_their_history(tmp_path):
    path, last = log_of_stages(tmp_path / "阶段推进.csv")
    book = imported(path, tmp_path)
    assert deals(book)["stage"].to_dict() == last
    assert book.tracked["opportunities"]["stage"].how == "log"
    # Entered on the fifth of January; six days later the second stage began.
    past = deals(book.as_of("2026-01-10"))
    assert past.loc["S1", "stage"] == STAGES[0]
    assert deals(book.as_of("2026-01-12")).loc["S1", "stage"] == STAGES[1]
    assert sorted(deals(book.as_of("2026-01-06")).index) == ["S0", "S1"]


def test_a_bare_log_of_changes_becomes_deals_with_their_last_values(tmp_path):
    rows: list[list[object]] = [["数据ID", "修改字段", "修改前", "修改后", "修改时间", "修改人"]]
    for i in range(20):
        at = dt.datetime(2026, 1, 5, 9) + dt.timedelta(days=i)
        rows.append([f"K{i}", "金额", "", 100_000 + i, f"{at:%Y-%m-%d %H:%M}", "张伟"])
        later = at + dt.timedelta(days=5)
        rows.append([f"K{i}", "阶段", "初步接触", "需求沟通", f"{later:%Y-%m-%d %H:%M}", "张伟"])
        rows.append([f"K{i}", "备注", "", "好", f"{later:%Y-%m-%d %H:%M}", "张伟"])
    book = imported(write_csv(tmp_path / "修改记录.csv", rows), tmp_path)
    found = deals(book)
    assert set(found["stage"]) == {"需求沟通"}
    assert found.loc["K3", "amount"] == Decimal("100003.00")
    past = deals(book.as_of("2026-01-11"))
    assert past.loc["K3", "stage"] == "初步接触"


def test_a_log_beside_the_deals_is_their_history_where_its_ids_are_theirs(tmp_path):
    log, last = log_of_stages(tmp_path / "export" / "阶段推进.csv")
    heads = ["商机编号", "阶段", "金额", "创建日期"]
    body = [[key, stage, 90_000, "2026-01-01"] for key, stage in last.items()]
    write_csv(tmp_path / "export" / "商机.csv", [heads, *body])
    book = imported(tmp_path / "export", tmp_path)
    assert deals(book.as_of("2026-01-10")).loc["S1", "stage"] == STAGES[0]
    write_csv(tmp_path / "other" / "商机.csv",
              [heads, *[[f"T{i}", row[1], *row[2:]] for i, row in enumerate(body)]])  # fmt: skip
    lines = [line.split(",") for line in log.read_text(encoding="utf-8").splitlines()]
    write_csv(tmp_path / "other" / "阶段推进.csv", lines)
    person = Person()
    import_path(tmp_path / "other", into=tmp_path / "b2", talk=person)
    assert any("is a log, but not of these deals" in line for line in person.shown)


def test_customers_and_people_of_their_own_sheets_are_those_that_deals_name(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "商机"
    sheet.append(["商机编号", "客户名称", "负责人", "阶段", "金额", "创建日期"])
    for i in range(30):
        sheet.append([f"N{i}", f"客户{i % 5}", PEOPLE[i % 3], STAGES[i % 6], 90_000 + i,
                      dt.date(2026, 1, 1 + i)])  # fmt: skip
    customers = book.create_sheet("客户")
    customers.append(["客户编号", "客户名称", "行业", "区域"])
    for i in range(5):
        customers.append([f"C{i}", f"客户{i}", "机械", "华东"])
    people = book.create_sheet("人员")
    people.append(["工号", "姓名", "部门"])
    for i, name in enumerate(PEOPLE):
        people.append([f"E{i}", name, f"华东/{i}组"])
    book.save(tmp_path / "CRM.xlsx")
    found = imported(tmp_path / "CRM.xlsx", tmp_path)
    accounts = found.accounts.to_pandas().set_index("id")
    assert accounts.loc["客户3", "industry"] == "机械"
    users = found.users.to_pandas().set_index("id")
    assert users.loc["张伟", "team"] == "华东/0组"
    assert len(deals(found.scope(team="华东/1组"))) == 10


def test_two_sheets_that_could_be_the_deals_are_asked_about(tmp_path):
    for name, extra in (("甲.csv", "客户"), ("乙.csv", "产品")):
        rows = [[f"N{i}", STAGES[i % 6], 90_000, "2026-01-05", "x"] for i in range(12)]
        heads = ["编号", "阶段", "金额", "创建日期", extra]
        write_csv(tmp_path / "export" / name, [heads, *rows])
    (question,) = asked(tmp_path / "export", tmp_path).values()
    assert question.key == "deals"
    assert set(question.candidates) == {"甲.csv", "乙.csv"}
    book = imported(tmp_path / "export", tmp_path, answers={"deals": "乙.csv"})
    assert book.has("opportunities.product_line")


def test_sheets_of_one_shape_stand_under_each_other(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "1月"
    for month in (1, 2):
        sheet = book.active if month == 1 else book.create_sheet(f"{month}月")
        sheet.append(["商机编号", "阶段", "金额", "创建日期"])
        for i in range(10):
            sheet.append([f"{month}-{i}", STAGES[i % 6], 90_000, dt.date(2026, month, 1 + i)])
    book.save(tmp_path / "商机.xlsx")
    assert imported(tmp_path / "商机.xlsx", tmp_path).n("opportunities") == 20


def test_a_file_that_can_not_be_read_beside_others_is_told_before_and_after(tmp_path):
    write_ledger(tmp_path / "台账.xlsx")
    (tmp_path / "export").mkdir()
    (tmp_path / "台账.xlsx").rename(tmp_path / "export" / "台账.xlsx")
    (tmp_path / "export" / "合同.xlsx").write_bytes(b"PK\x03\x04 broken")
    person = Person()
    report = import_path(tmp_path / "export", into=tmp_path / "book", talk=person)
    assert any("合同.xlsx" in line for line in person.shown)
    assert any("not read: 合同.xlsx" in line for line in report.lines())


def test_what_can_be_no_deals_is_refused_with_what_was_seen(tmp_path):
    write_csv(tmp_path / "export" / "weather.csv", [["city", "rain"], ["Bath", 3], ["York", 4]])
    with pytest.raises(NoDeals) as error:
        import_path(tmp_path / "export", into=tmp_path / "book", yes=True)
    assert "weather.csv: city, rain" in str(error.value)
    assert "--answer stage=COLUMN" in str(error.value)


def test_the_mapping_that_was_used_can_be_edited_and_used_again(tmp_path):
    path = write_ledger(tmp_path / "台账.xlsx")
    imported(path, tmp_path)
    text = (tmp_path / "book" / "mapping.toml").read_text(encoding="utf-8")
    edited = text.replace('amount = "预计金额(万元)"',
                          'amount = { column = "预计金额(万元)", unit = "one" }')  # fmt: skip
    assert edited != text
    (tmp_path / "own.toml").write_text(edited, encoding="utf-8")
    book = imported(path, tmp_path, source=str(tmp_path / "own.toml"))
    total = sum((Decimal(str(row[4])) for row in ledger_rows()), Decimal(0))
    assert deals(book)["amount"].sum() == total
    assert read_mapping(edited, "own").stages is not None
