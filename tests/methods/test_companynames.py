"""Names, tax ids, phones and domains are written alike however they were typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salesops.methods.companynames import (
    company_name,
    domain,
    is_credit_code,
    phone,
    plain,
    tax_id,
)

CITIES = st.sampled_from(["南京", "厦门", "苏州", "重庆", "石家庄"])
BRANDS = st.sampled_from(["锦益", "信泰博", "汇翔", "天邦益", "康锐"])
TRADES = st.sampled_from(["汽车零部件", "食品", "电子", "精密机械"])
FORMS = st.sampled_from(["有限公司", "股份有限公司", "科技有限公司", "有限责任公司"])


@given(CITIES, BRANDS, TRADES, FORMS)
def test_one_company_has_one_core_and_place_however_its_name_is_written(city, brand, trade, form):
    name = f"{city}{brand}{trade}{form}"
    wanted = company_name(name)
    assert wanted.core == brand + trade
    assert wanted.place == city
    for other in (
        f"{brand}{trade}（{city}）有限公司", f"{brand}{trade}({city}){form}", f" {name} ",
        f"{city}市{brand}{trade}{form}", f"{name}{city}分公司", f"{city} {brand}·{trade} {form}",
    ):  # fmt: skip
        assert company_name(other) == wanted, other
    assert company_name(f"{brand}{trade}").core == wanted.core
    assert company_name(f"{brand}{trade}").place == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("廈門匯科穎食品科技有限公司", "厦门汇科颖食品科技有限公司"),
        ("ＡＢＣ　Ｔｏｏｌｓ Co., Ltd.", "abc tools"),
        ("Müller GmbH", "müller"),
    ],
)
def test_width_case_and_traditional_characters_do_not_matter(one, other):
    assert company_name(one).core == company_name(other).core


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("南京锦益食品有限公司", "南京锦益电子有限公司"),
        ("南京锦益食品有限公司", "苏州锦益食品有限公司"),
        ("华为(香港)有限公司", "华为(北京)有限公司"),
        ("上海一号（冷链）有限公司", "上海一号（仓储）有限公司"),
    ],
)
def test_other_companies_stay_apart(one, other):
    assert company_name(one) != company_name(other)


@pytest.mark.parametrize("name", ["北京", "有限公司", "科技", "", "南京市", "()", "公司"])
def test_what_is_only_a_place_or_a_form_is_not_taken_to_nothing(name):
    found = company_name(name)
    assert found.core == plain(name).strip("()") or found.core


@given(st.text(max_size=30))
def test_any_text_can_be_a_name_and_its_core_is_stable(text):
    core = company_name(text).core
    assert isinstance(core, str)
    for form in (phone, tax_id, domain):
        assert isinstance(form(text), str)


def test_the_check_digit_of_a_credit_code():
    # A code published as an example of GB 32100, and each single digit of it changed.
    code = "91350100M000100Y43"
    assert is_credit_code(code)
    wrong = [code[:i] + ("1" if code[i] != "1" else "2") + code[i + 1 :] for i in range(18)]
    assert not any(is_credit_code(one) for one in wrong)
    assert not is_credit_code(code[:-1])
    assert not is_credit_code(code[:-1] + "I")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("138 0013 8000", "13800138000"), ("+86-13800138000", "13800138000"),
        ("0086 13800138000", "13800138000"), ("（0512）6288-1234", "051262881234"),
        ("62881234转8001", "62881234"), ("13800138000/13900139000", "13800138000"),
        ("1234", ""), ("00000000", ""), ("无", ""),
    ],
)  # fmt: skip
def test_phones(text, digits):
    assert phone(text) == digits


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("HTTP://WWW.Acme.CN/a?b", "acme.cn"), ("li.lei@acme.cn", "acme.cn"), ("a@163.com", ""),
        ("acme.cn:8080", "acme.cn"), ("无", ""), ("a b.cn", ""),
    ],
)  # fmt: skip
def test_domains(text, host):
    assert domain(text) == host
