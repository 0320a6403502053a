"""What salesops.toml may say, and what is said about a broken one."""

import pytest

from salesops.model.errors import BadSettings, UnknownStage
from salesops.model.settings import Settings, default_text

MINIMAL = """
[company]
name = "A"
[[stages]]
id = "talk"
name = {zh = "谈", en = "Talk"}
kind = "open"
[[stages]]
id = "won"
name = {zh = "赢", en = "Won"}
kind = "won"
[[stages]]
id = "lost"
name = {zh = "输", en = "Lost"}
kind = "lost"
"""


def test_the_default_process_has_the_five_phases_of_the_life_cycle_in_both_languages():
    settings = Settings.default()
    assert settings.stage_ids("open") == ("acquisition", "needs", "negotiation")
    assert settings.stage_ids("won") == ("contract",)
    assert settings.after_sales is not None
    names = [(s.name.zh, s.name.en) for s in settings.stages if s.kind in ("open", "won")]
    names.append((settings.after_sales.name.zh, settings.after_sales.name.en))
    assert [zh for zh, _ in names] == [
        "客户获取", "需求分析", "商务洽谈", "签约与交付", "售后服务",
    ]  # fmt: skip
    assert settings.qualified_stage == "needs"


def test_every_open_stage_of_the_default_process_has_its_norms_role_and_exit():
    for stage in Settings.default().stages:
        if stage.kind == "open":
            stated = (stage.stay_days, stage.touch_days, stage.owner_role, stage.exit_criteria,
                      stage.key_actions, stage.tool, stage.metric)  # fmt: skip
            assert all(stated)


def test_a_short_file_takes_the_defaults_of_everything_it_leaves_out():
    settings = Settings.parse(MINIMAL, where="test")
    assert settings.company.zone == "Asia/Shanghai"
    assert settings.norms.silent_after == Settings.default().norms.silent_after


def test_all_faults_of_a_file_are_told_at_once_with_value_and_key():
    broken = MINIMAL.replace('name = "A"', 'name = "A"\nzone = "Mars/Base"\ncolour = 1')
    with pytest.raises(BadSettings) as caught:
        Settings.parse(broken, where="book/salesops.toml")
    text = str(caught.value)
    assert "book/salesops.toml" in text
    assert "company.zone = 'Mars/Base'" in text
    assert "company.colour = 1" in text
    assert "salesops check BOOK" in text
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "lost"', 'kind = "won"', "no stage has kind 'lost'"),
        ('id = "won"', 'id = "talk"', "talk is listed twice"),
        ('kind = "open"', 'kind = "opne"', "'opne'"),
    ],
)
def test_a_process_that_is_not_whole_is_refused(old, new, said):
    with pytest.raises(BadSettings, match=said):
        Settings.parse(MINIMAL.replace(old, new), where="test")


def test_broken_toml_names_the_line():
    with pytest.raises(BadSettings, match="line 3"):
        Settings.parse('[company]\nname = "A"\nzone =\n', where="test")


def test_a_file_in_another_encoding_is_refused_with_its_path(tmp_path):
    path = tmp_path / "salesops.toml"
    path.write_bytes(default_text().encode("gb18030"))
    with pytest.raises(BadSettings, match="not UTF-8") as caught:
        Settings.read(path)
    assert str(path) in str(caught.value)


def test_the_fingerprint_changes_with_any_setting_and_only_then():
    one = Settings.parse(MINIMAL, where="a")
    same = Settings.parse(MINIMAL + "\n# a comment", where="b")
    other = Settings.parse(MINIMAL + "\n[norms]\npush_count = 4", where="c")
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_an_unknown_stage_is_named_with_the_nearest_known_one():
    with pytest.raises(UnknownStage) as caught:
        Settings.default().stage("negotation")
    text = str(caught.value)
    assert "'negotation'" in text
    assert "Nearest: negotiation" in text
    assert "[[stages]]" in text


def test_what_customers_may_still_owe_never_rises_with_the_days():
    norms = Settings.parse(MINIMAL, where="test").norms.collection
    assert norms.unpaid[0] == (0, 0.20)
    for points in ("[[0, 0.1], [25, 0.2]]", "[[25, 0.2], [0, 0.1]]", "[]"):
        with pytest.raises(BadSettings, match=r"norms\.collection\.unpaid"):
            Settings.parse(f"{MINIMAL}\n[norms.collection]\nunpaid = {points}", where="test")
