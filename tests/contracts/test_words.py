"""Every sentence exists in both languages, with the same fields, and is well written."""

import ast
import re
from pathlib import Path

import pytest

from salesops.wording.catalogue import FORMATS, entries, paragraphs

ENTRIES = entries()
FIELD = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u4e00-\u9fff]")
# Names of things and files stay as they are.
WITHOUT_CHINESE = {"page.versions"}


@pytest.mark.parametrize("code", sorted(ENTRIES))
def test_both_languages_have_the_same_fields(code):
    entry = ENTRIES[code]
    for english in entry.en:
        assert set(FIELD.findall(english)) == set(FIELD.findall(entry.zh)) or (len(entry.en) > 1), (
            entry
        )
    used = set(FIELD.findall(entry.zh)) | set(FIELD.findall(entry.en[-1]))
    assert used <= set(entry.fields), f"{code} must declare its fields: {used}"
    assert set(entry.fields.values()) <= set(FORMATS)


@pytest.mark.parametrize("code", sorted(ENTRIES))
def test_chinese_uses_full_width_punctuation_and_english_none(code):
    entry = ENTRIES[code]
    bare = FIELD.sub("", entry.zh)
    if CJK.search(bare):
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]", bare), entry.zh
    for english in entry.en:
        assert not CJK.search(english), english
        assert not re.search(r"[“”‘’×，。；：？！、（）]", english), english


def test_no_code_stands_twice():
    folder = Path("salesops/wording/locale/zh/LC_MESSAGES")
    codes = [code for path in sorted(folder.glob("*.po"))
             for code in re.findall(r'^msgctxt "(.+)"$', path.read_text(encoding="utf-8"), re.M)
             if not code.startswith("notebook:")]  # fmt: skip
    assert sorted({code for code in codes if codes.count(code) > 1}) == []


def test_nothing_is_left_untranslated():
    assert [code for code, entry in ENTRIES.items() if not entry.zh.strip()] == []
    assert [key for key, text in paragraphs().items() if not text.strip()] == []


def _codes_in_source() -> set[str]:
    """Collect the literal codes with which the package asks for words."""
    found = set()
    for path in Path("salesops").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                is_text = isinstance(first, ast.Constant) and isinstance(first.value, str)
                if name in ("Say", "say", "label") and is_text:
                    found.add(first.value)
    return found


def test_every_code_that_the_package_names_has_an_entry():
    codes = {code if "." in code else f"label.{code}" for code in _codes_in_source()}
    assert sorted(codes - set(ENTRIES) - set(entries("playbook"))) == []
