"""Every sentence exists in both languages, with the same fields, and is well written."""

import ast
import re
from pathlib import Path

from salesops.wording.catalogue import FORMATS, entries, paragraphs

ENTRIES = entries()
FIELD = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:?!]")
FULL_WIDTH = re.compile(r"[“”‘’×，。；：？！、（）]")
# Names of things and files stay as they are.
WITHOUT_CHINESE = {"page.versions"}


# Each of these looks at thousands of sentences, and names all that are wrong.


def fields_of(text: str) -> set[str]:
    return set(FIELD.findall(text))


def test_both_languages_have_the_same_fields():
    # A singular may say "one" where the plural has a number.
    unlike = [code for code, entry in ENTRIES.items()
              if len(entry.en) == 1 and fields_of(entry.en[0]) != fields_of(entry.zh)]  # fmt: skip
    assert unlike == []


def test_every_field_is_declared_with_a_format_that_there_is():
    used = {code: fields_of(entry.zh) | fields_of(entry.en[-1]) for code, entry in ENTRIES.items()}
    assert {code: more for code, entry in ENTRIES.items()
            if (more := used[code] - set(entry.fields))} == {}  # fmt: skip
    assert {code: odd for code, entry in ENTRIES.items()
            if (odd := set(entry.fields.values()) - set(FORMATS))} == {}  # fmt: skip


def test_chinese_uses_full_width_punctuation():
    texts = {code: FIELD.sub("", entry.zh) for code, entry in ENTRIES.items()}
    assert sum(bool(CJK.search(text)) for text in texts.values()) > 0.5 * len(texts)
    assert [code for code, text in texts.items() if HALF_WIDTH.search(text)] == []


def test_english_uses_none_of_it():
    texts = [(code, english) for code, entry in ENTRIES.items() for english in entry.en]
    assert [code for code, text in texts if CJK.search(text) or FULL_WIDTH.search(text)] == []


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
