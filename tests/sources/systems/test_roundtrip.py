"""A company written as each system does comes back equal, but for what the system can't carry.

What can't be carried stands on the page of the system in docs/systems; nothing else may be lost.
"""

import pytest

from salesops.sources.importing import import_path
from salesops.sources.mapping import known_mappings, mapping_text, read_mapping
from salesops.sources.readers import list_files
from salesops.sources.recognising import candidates, settled
from salesops.sources.seeing import look_at
from tests.sources.systems.company import made
from tests.sources.systems.roundtrip import PAGES, in_its_words, lost, page_says, writer

SYSTEMS = ("salesforce", "salesforce_report", "fivetran_salesforce", "hubspot", "fivetran_hubspot",
           "zoho", "wukong", "fxiaoke", "neocrm", "kingdee", "qidian", "jiandaoyun")  # fmt: skip

# Who imports by a mapping that nobody has held against a file is asked first.
CONFIRMED = {"assumed": "yes"}


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_company_comes_back_but_for_what_the_page_says(name, tmp_path):
    module = writer(name)
    company = in_its_words(made(), module)
    module.write(company, tmp_path / "export")
    found = settled(candidates(look_at(list_files(tmp_path / "export"), whole=False)))
    assert found is not None
    assert found.source == name
    import_path(tmp_path / "export", into=tmp_path / "book", exported_at="2026-06-30",
                answers=CONFIRMED if found.mapping.verified == "assumed" else None)  # fmt: skip
    assert lost(company, tmp_path / "book") == page_says(name)


def test_every_system_has_its_page_in_english_with_a_part_in_chinese():
    for name in SYSTEMS:
        text = (PAGES / f"{name}.md").read_text(encoding="utf-8")
        heads = [line for line in text.splitlines() if line.startswith("## ")]
        assert heads == ["## How to get the export", "## What is carried",
                         "## What it can't carry", "## 中文说明"], name  # fmt: skip


def test_the_table_of_systems_says_against_what_each_mapping_was_checked():
    table = (PAGES / "README.md").read_text(encoding="utf-8")
    for name in known_mappings():
        if name not in ("canonical", "small", "maven"):
            verified = read_mapping(mapping_text(name), name).verified
            (line,) = [row for row in table.splitlines() if f"| `{name}` |" in row]
            assert f"| {verified} |" in line, name


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_committed_export_is_what_the_writer_writes(name, tmp_path):
    module = writer(name)
    module.write(in_its_words(made(), module), tmp_path)
    kept = PAGES.parents[1] / "tests" / "sources" / "systems" / name
    for file in tmp_path.iterdir():
        assert (kept / file.name).read_bytes() == file.read_bytes(), file.name
