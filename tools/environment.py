"""Write environment.yml for conda users, with the versions of requirements.lock."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def locked(lock: str) -> dict[str, str]:
    """Read name -> version of every pinned package."""
    pins = re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock, flags=re.MULTILINE)
    return dict(pins)


def environment(lock: str, declared: list[str]) -> str:
    """Name the direct dependencies with the locked versions."""
    pins = locked(lock)
    names = sorted({re.split(r"[\[<>=;! ]", line)[0].lower() for line in declared})
    lines = [f"      - {name}=={pins[name]}" for name in names if name in pins]
    head = ["name: salesops", "channels:", "  - conda-forge", "dependencies:",
            "  - python=3.11", "  - pip", "  - pip:"]  # fmt: skip
    return "\n".join([*head, *lines, ""])


def declared_dependencies() -> list[str]:
    """List what pyproject.toml asks for, the lab extra included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["lab"]]


def main() -> None:
    """Write the file."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    text = environment(lock, declared_dependencies())
    (ROOT / "environment.yml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
