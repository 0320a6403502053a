"""The site of an output folder: one page per language over all its runs, written by renames."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from salesops.charts import fonts
from salesops.reports.page import styles
from salesops.reports.pastruns import read_runs, run_folders
from salesops.reports.sitepage import site_page
from salesops.stopping import scratch_folder
from salesops.wording.language import LANGUAGES

KEPT = ".kept"
# Runs that end one after the other each write the site; this often it is read anew for the others.
_TRIES = 5


def write_site(out: str | Path, langs: Sequence[str] = LANGUAGES) -> Path:
    """Write the page over all runs of an output folder, in both languages.

    Parameters
    ----------
    out
        The output folder, with a folder per run.
    langs
        The first is the language of `index.html`.

    Returns
    -------
    Path
        `index.html`; beside it lie `index.zh.html` and `index.en.html`.

    Notes
    -----
    A reader meets the old page or the new one, never half of it. Where a run comes or goes while
    the pages are written, they are written again, so that of two runs at once neither is left out.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_site(folder).name, len(list(Path(folder).iterdir()))
    ('index.html', 4)
    """
    root = Path(out)
    for _try in range(_TRIES):
        seen = list(run_folders(root))
        pages = _pages(root)
        for lang, page in pages.items():
            _put(root / f"index.{lang}.html", page)
        _put(root / "index.html", pages[langs[0] if langs else LANGUAGES[0]])
        if list(run_folders(root)) == seen:
            break
    return root / "index.html"


def _pages(root: Path) -> dict[str, bytes]:
    runs, unread = read_runs(root)
    bare = {lang: site_page(runs, unread, lang, out=root) for lang in LANGUAGES}
    head = f"{_face(root, ''.join(bare.values()))}\n{styles()}"
    return {lang: page.replace("</head>", f"<style>{head}</style>\n</head>", 1).encode()
            for lang, page in bare.items()}  # fmt: skip


def _face(root: Path, text: str) -> str:
    """Give the font for both pages; cutting it takes longer than all the rest, so it is kept."""
    wanted = {char for char in set(text) if fonts.needs_embedding(char)}
    path = root / KEPT / "font.json"
    try:
        known = json.loads(path.read_bytes())
        if wanted <= set(known["characters"]) and known["font"] == fonts.font_file().name:
            return str(known["face"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    face = fonts.face(text)
    if wanted:
        path.parent.mkdir(exist_ok=True)
        told = {"characters": "".join(sorted(wanted)), "font": fonts.font_file().name, "face": face}
        _put(path, json.dumps(told, ensure_ascii=False).encode())
    return face


def _put(path: Path, text: bytes) -> None:
    """Write a file so that it is there whole or as it was."""
    with scratch_folder(path.parent, ".index-") as scratch:
        fresh = scratch / path.name
        fresh.write_bytes(text)
        os.replace(fresh, path)
