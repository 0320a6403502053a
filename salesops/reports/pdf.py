"""What is printed of a finished page: its PDF, and pictures of exhibits that are tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from salesops.reports.browser import Browser, Tab, find_browser
from salesops.reports.handover import picture_name

# The width at which an exhibit that is a table is read, as on the page.
_WIDTH = 1200


def finish_exports(
    browser: Browser, folder: str | Path, stem: str, formats: Sequence[str],
    files: Mapping[str, Any] | None = None, most_pages: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Print what a finished page lacks of the formats that are asked for.

    Parameters
    ----------
    browser
        One for many pages: starting it takes as long as printing two.
    folder
        Holds `<stem>.html`, and gets the files.
    formats
        All formats that are asked for.
    files
        Those that the kernel wrote, as `taken_files` gives them.
    most_pages
        So many sheets of the PDF; its foot numbers them among all that the page has.

    Returns
    -------
    dict
        Name of the file by format, for the run's record: `html`, `pdf`, `xlsx`, `json`, and `png`
        as a list. `without_picture` are exhibits that are tables where there is no Chromium.

    Raises
    ------
    BrowserFailed, NoBrowser
        The page could not be printed.
    """
    place = Path(folder)
    made: dict[str, Any] = {"html": f"{stem}.html", **(files or {})}
    lacking = list(made.pop("without_picture", ()))
    tables = [key for key in lacking if _found()] if "png" in formats else []
    if "pdf" in formats or tables:
        with browser.shown(place / f"{stem}.html", width=_WIDTH) as tab:
            if "pdf" in formats:
                made["pdf"] = _written(place / f"{stem}.pdf", tab.pdf(most_pages))
            shown = [_table(tab, place, stem, key) for key in tables]
        made["png"] = [*made.get("png", []), *filter(None, shown)] if tables else made.get("png")
        lacking = [key for key in lacking if key not in tables]
    if made.get("png") is None:
        made.pop("png", None)
    return {**made, "without_picture": lacking} if lacking else made


def _found() -> bool:
    from salesops.reports.browser import NoBrowser

    try:
        return bool(find_browser())
    except NoBrowser:
        return False


def _table(tab: Tab, folder: Path, stem: str, key: str) -> str | None:
    taken = tab.picture(f"#exhibit-{key}")
    return None if taken is None else _written(folder / picture_name(stem, key), taken)


def _written(target: Path, content: bytes) -> str:
    from salesops.reports.sheets import in_one_step

    return in_one_step(target, lambda part: part.write_bytes(content)).name
