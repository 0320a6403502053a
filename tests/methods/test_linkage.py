"""Records of one company: what ties them together, and what keeps them apart."""

import math

import pandas as pd
import pytest

from salesops.methods import linkage
from salesops.methods.linkage import normalised, same_companies

NAME = "南京锦益汽车零部件有限公司"
OTHERS = [f"苏州{brand}{trade}有限公司" for brand in ("信泰", "汇翔", "康锐", "友维", "安航")
          for trade in ("食品", "电子", "模具", "化工", "注塑")]  # fmt: skip


def pairs(*rows: dict, beside: int = 25) -> list[tuple[str, str, str]]:
    records = [{"id": f"r{i}", **row} for i, row in enumerate(rows)]
    records += [{"id": f"x{i}", "name": name} for i, name in enumerate(OTHERS[:beside])]
    found = same_companies(pd.DataFrame(records))
    return list(found[["id", "other", "reason"]].itertuples(index=False, name=None))


def test_the_same_name_of_the_same_place_is_one_company():
    other = "锦益汽车零部件（南京）有限公司"
    assert pairs({"name": NAME}, {"name": other}) == [("r0", "r1", "name")]


def test_the_same_name_of_another_place_is_another_company():
    assert pairs({"name": NAME}, {"name": "苏州锦益汽车零部件有限公司"}) == []


def test_a_short_name_is_one_company_where_only_one_place_knows_it():
    short = {"name": "锦益汽车零部件"}
    assert pairs({"name": NAME}, short) == [("r0", "r1", "name")]
    assert pairs({"name": NAME}, short, {"name": "苏州锦益汽车零部件有限公司"}) == []


def test_a_shared_tax_id_ties_names_that_resemble_each_other():
    code = "91350100M000100Y43"
    found = pairs({"name": NAME, "tax_id": code},
                  {"name": "锦益汽车零部件", "tax_id": f" {code} "})  # fmt: skip
    assert found == [("r0", "r1", "tax_id+name")]


def test_two_tax_ids_keep_the_same_name_apart():
    assert pairs({"name": NAME, "tax_id": "91350100M000100Y43"},
                 {"name": NAME, "tax_id": "913100006315206999"}) == []  # fmt: skip


def test_a_shared_phone_alone_is_a_shared_building():
    phone = {"phone": "025-62881234"}
    assert pairs({"name": NAME, **phone}, {"name": "南京汇科食品有限公司", **phone}) == []
    assert pairs({"name": NAME, **phone}, {"name": "锦益汽车零部件", **phone}) == [
        ("r0", "r1", "phone+name")
    ]


def test_the_chance_is_that_of_the_stated_weights():
    records = pd.DataFrame({"id": ["a", "b"], "name": [NAME, NAME],
                            "phone": ["13800138000", "13900139000"]})  # fmt: skip
    (found,) = same_companies(records).to_dict("records")
    prior = linkage.PRIOR
    _sql, same, others = linkage._NAME[0]
    odds = prior / (1 - prior) * (same / others) * (0.5 / (1 - 1e-6))
    assert found["chance"] == pytest.approx(odds / (1 + odds), rel=1e-9)


def test_the_order_of_records_changes_nothing():
    records = pd.DataFrame({"id": ["b", "a", "c"], "name": [NAME, NAME, "锦益汽车零部件"]})
    one, other = same_companies(records), same_companies(records[::-1].reset_index(drop=True))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("rows", [[], [("a", None)], [("a", ""), ("b", None)]])
def test_nothing_to_compare_gives_no_pair(rows):
    found = same_companies(pd.DataFrame(rows, columns=["id", "name"]))
    assert found.empty
    assert list(found.columns) == linkage.COLUMNS


def test_missing_texts_are_not_known_instead_of_alike():
    frame = normalised(pd.DataFrame({"id": ["a", "b"], "name": [NAME, "x"],
                                     "phone": [None, math.nan], "tax_id": ["", "-"],
                                     "email": ["a@acme.cn", "b@qq.com"]}))  # fmt: skip
    assert frame["phone"].isna().all()
    assert frame["tax"].isna().all()
    assert frame["domain"].tolist() == ["acme.cn", None]
