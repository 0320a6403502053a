"""The workbook of a five-person company: what its owner would count by hand stands on the page."""

from decimal import Decimal

import openpyxl
import pytest

from salesops.analyses.funnel import Funnel, funnel
from salesops.sample.options import SampleOptions
from salesops.sample.write import write_sample
from salesops.sources.importing import import_path
from salesops.wording import language

OPEN = ("初步接触", "需求沟通", "方案报价", "商务谈判")


@pytest.fixture(scope="module")
def rows(tmp_path_factory) -> list[dict[str, object]]:
    """The sheet of deals as openpyxl reads it: a title, then the head, then the deals."""
    folder = tmp_path_factory.mktemp("small")
    write_sample(folder / "export", SampleOptions(preset="small"))
    (path,) = (folder / "export").glob("*.xlsx")
    _title, head, *body = openpyxl.load_workbook(path)["商机"].iter_rows(values_only=True)
    return [{"path": path, **dict(zip(head, row, strict=True))} for row in body if any(row)]


@pytest.fixture(scope="module")
def result(rows, tmp_path_factory) -> Funnel:
    from salesops.book.book import open_book

    into = tmp_path_factory.mktemp("book") / "book"
    import_path(rows[0]["path"], source="small", into=into)
    return funnel(open_book(into))


def yuan(rows: list[dict[str, object]]) -> Decimal:
    return sum(
        (Decimal(str(r["合同额(万元)"])) * 10_000 for r in rows if r["合同额(万元)"]), Decimal(0)
    )


def test_open_won_and_lost_deals_are_those_of_the_sheet(rows, result):
    is_open = [r for r in rows if r["阶段"] in OPEN]
    won = [r for r in rows if r["阶段"] == "已签约"]
    assert result.metrics["open_deals"] == len(is_open) > 20
    assert result.metrics["open_amount"] == pytest.approx(float(yuan(is_open)))
    assert result.metrics["won_deals"] == len(won)
    assert result.metrics["won_amount"] == pytest.approx(float(yuan(won)))
    assert result.metrics["lost_deals"] == sum(r["阶段"] == "丢单" for r in rows)


def test_without_a_history_no_stage_is_said_to_have_lost_nothing(result):
    assert result.leaks["stage"].tolist() == ["unknown"]
    assert "what.leak_stage" in [gap.what for gap in result.gaps]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_sentence_of_page_one_has_a_hole_where_a_number_is_not_known(result, lang):
    with language(lang):
        said = [clause.text() for clause in result.verdict]
        for exhibit in result.exhibits.values():
            said += [say.text() for say in (exhibit.title, exhibit.sub, exhibit.note) if say]
        for sentence in said:
            assert "—" not in sentence, sentence
            assert "nan" not in sentence, sentence
    notes = [e.note.code for e in result.exhibits.values() if e.note]
    assert "funnel.note_leaks" not in notes, "a norm is explained that is not drawn"
