"""What holds for the files of the project."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


FILES = tracked()


def text_files() -> list[Path]:
    binary = {".png", ".parquet", ".xlsx", ".ipynb"}
    return [path for path in FILES if path.suffix not in binary]


def test_no_module_is_longer_than_400_lines():
    long = {
        str(path.relative_to(ROOT)): n
        for path in FILES
        if path.suffix == ".py" and (n := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_file_names_the_host_of_a_registry():
    hosts = re.compile(
        r"(pypi|files\.pythonhosted|anaconda|conda-forge|mirror)[\w.]*\.(org|com|cn)"
    )
    own = Path(__file__).name
    texts = {p.name: p.read_text("utf-8", errors="replace") for p in text_files() if p.name != own}
    found = [name for name, text in texts.items() if hosts.search(text)]
    assert found == []
    assert not (ROOT / "uv.lock").exists()


def test_the_environment_names_the_versions_of_the_lock():
    lock = dict(
        re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", (ROOT / "requirements.lock").read_text(), re.M)
    )
    named = re.findall(r"- ([a-z0-9._-]+)==([^ ;\s]+)", (ROOT / "environment.yml").read_text())
    assert named
    assert {name: lock.get(name) for name, _version in named} == dict(named)


def test_every_dependency_is_in_the_lock_with_a_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    for wanted in project["dependencies"]:
        name = re.match(r"[\w-]+", wanted).group().lower()
        block = re.search(rf"^{re.escape(name)}(\[[^]]*\])?==.*?(?=^\S|\Z)", lock, re.M | re.S)
        assert block, name
        assert "--hash=sha256:" in block.group(), name


def test_the_committed_sample_is_small_and_holds_no_more_than_it_must():
    sample = [path for path in FILES if "data/sample" in str(path)]
    assert sum(path.stat().st_size for path in sample) <= 8 * 2**20
    assert {path.suffix for path in sample} <= {".csv", ".parquet", ".toml", ".json"}


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"])
def test_what_a_stranger_looks_for_is_there(name):
    assert (ROOT / name).stat().st_size > 300


def test_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), target
