"""A headless Chromium, spoken to through two pipes: no port, no network, no process left behind.

Chromium reads commands from its file 3 and answers on file 4, messages of JSON that end in a null
byte. It ends by itself when the pipes close, so not even a killed run leaves one.
"""

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from salesops.model.errors import SalesopsError
from salesops.stopping import Claim, clear_abandoned

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The first that numbers the pages of a style sheet's margins.
OLDEST = 131
_SECONDS = 60.0
_FOLDER = "salesops-pdf-"
_SWITCHES = (
    "--headless", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--disable-breakpad", "--disable-gpu", "--disable-dev-shm-usage",
    "--hide-scrollbars", "--mute-audio", "--font-render-hinting=none",
    # No name leads anywhere, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9",
)  # fmt: skip
# Tokens of the run's environment are none of a browser's business.
_TOLD = ("PATH", "LANG", "LC_ALL", "TZ", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_DATA_DIRS")


@dataclass(eq=False, kw_only=True)
class NoBrowser(SalesopsError, LookupError):
    """PDF and pictures of tables need Chromium, and there is none, or one too old."""

    found: str

    def __str__(self) -> str:
        return (
            f"PDF and pictures of tables are printed by Chromium: {self.found}.\n"
            f"Expected: {', '.join(NAMES)} on PATH, version {OLDEST} or later.\n"
            f"Install it: {_install()}. Or leave pdf out: --format html,xlsx."
        )


def _install() -> str:
    if sys.platform == "darwin":
        return "brew install --cask google-chrome"
    return "sudo apt-get install --no-install-recommends chromium"


@dataclass(eq=False, kw_only=True)
class BrowserFailed(SalesopsError, RuntimeError):
    """Chromium ended, took too long, or could not show a page."""

    page: str
    why: str

    def __str__(self) -> str:
        return (
            f"{self.page} could not be printed: {self.why}.\n"
            "Expected: a page that Chromium shows within its limit of time.\n"
            f"Open the page in a browser to see; then write for example: salesops run --force. "
            f"Chromium {OLDEST} or later is needed."
        )


def find_browser() -> str:
    """Find Chromium on PATH.

    Raises
    ------
    NoBrowser
        With the command that installs it.
    """
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return found
    raise NoBrowser(found="none was found")


class Browser:
    """One Chromium; several pages, one after the other.

    Parameters
    ----------
    seconds
        What a page may take, from its opening to its last picture.
    """

    def __init__(self, seconds: float = _SECONDS) -> None:
        self.seconds = seconds
        self._folder: Claim | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = b""
        self._events: list[tuple[str, str]] = []
        self._number = 0
        self._until = 0.0

    @property
    def pid(self) -> int | None:
        """Process of the browser, which leads a group of its own; null where none runs."""
        return None if self._process is None else self._process.pid

    def __enter__(self) -> "Browser":
        """Start nothing yet: the first page does."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave no process and no folder behind."""
        self.close()

    def close(self) -> None:
        """Kill the browser with all its processes."""
        process, self._process, self._heard = self._process, None, b""
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        if self._folder is not None:
            self._folder.clear()
            self._folder = None

    def _start(self) -> None:
        where = find_browser()
        clear_abandoned(Path(tempfile.gettempdir()), _FOLDER)
        self._folder = Claim(Path(tempfile.gettempdir()), _FOLDER)
        home = str(self._folder.path)
        env = {name: os.environ[name] for name in _TOLD if name in os.environ}
        env |= {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
        switches = [*_SWITCHES, f"--user-data-dir={home}/profile"]
        # As root Chromium refuses to work in its sandbox.
        switches += ["--no-sandbox"] if os.geteuid() == 0 else []
        with open(f"{home}/said", "wb") as said:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >&2', "sh", where, *switches],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=env, cwd=home,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
        product = str(self.ask("Browser.getVersion")["product"])
        version = product.partition("/")[2].partition(".")[0]
        if version.isdigit() and int(version) < OLDEST:
            raise NoBrowser(found=f"{where} is {product}")

    def ask(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        number = self._number
        told: dict[str, Any] = {"id": number, "method": method, "params": given}
        if session is not None:
            told["sessionId"] = session
        self._send(json.dumps(told).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") != number:
                self._note(heard)
                continue
            if "error" in heard:
                raise _Refused(f"{method}: {heard['error'].get('message', '')}")
            return dict(heard["result"])

    def wait_for(self, event: str, session: str) -> None:
        """Wait until a page tells of an event."""
        while (event, session) not in self._events:
            self._note(self._hear())

    def _note(self, heard: Mapping[str, Any]) -> None:
        """Remember what pages tell between answers; of answers to old commands nothing."""
        if "method" in heard:
            self._events.append((heard["method"], heard.get("sessionId", "")))

    def _send(self, message: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(message)
        except OSError:
            raise _Refused(self._last_words()) from None

    def _hear(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        while b"\0" not in self._heard:
            left = self._until - time.monotonic()
            ready = left > 0 and select.select([self._process.stdout], [], [], left)[0]
            if not ready:
                raise _Refused(f"it took longer than {self.seconds:.0f} s")
            more = os.read(self._process.stdout.fileno(), 1 << 20)
            if not more:
                raise _Refused(self._last_words())
            self._heard += more
        message, _end, self._heard = self._heard.partition(b"\0")
        return dict(json.loads(message))

    def _last_words(self) -> str:
        assert self._folder is not None
        said = (self._folder.path / "said").read_text("utf-8", "replace")
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return f"Chromium ended{f': {lines[-1]}' if lines else ''}"

    @contextmanager
    def shown(self, page: Path, width: int = 1200) -> Iterator["Tab"]:
        """Open a page in a tab of its own, its scripts switched off; the tab closes afterwards.

        Raises
        ------
        NoBrowser, BrowserFailed
            There is no Chromium, or it could not show the page; the next page gets a new one.
        """
        self._until = time.monotonic() + self.seconds
        self._events.clear()
        try:
            if self._process is None or self._process.poll() is not None:
                self.close()
                self._start()
            tab = Tab(self, page, width)
            yield tab
            tab.close()
        except _Refused as error:
            self.close()
            raise BrowserFailed(page=page.name, why=str(error)) from None
        except BaseException:
            self.close()
            raise


class _Refused(Exception):
    """Chromium did not do what it was asked for."""


class Tab:
    """One page that is shown."""

    def __init__(self, browser: Browser, page: Path, width: int) -> None:
        self._browser = browser
        self._target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.ask("Target.attachToTarget", targetId=self._target, flatten=True)
        self._session = str(attached["sessionId"])
        self.ask("Page.enable")
        self.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=2, mobile=False)  # fmt: skip
        opened = self.ask("Page.navigate", url=page.absolute().as_uri())
        if opened.get("errorText"):
            raise _Refused(str(opened["errorText"]))
        browser.wait_for("Page.loadEventFired", self._session)

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Send the page a command."""
        return self._browser.ask(method, self._session, **given)

    def close(self) -> None:
        """Close the tab, not the browser."""
        self._browser.ask("Target.closeTarget", targetId=self._target)

    def pdf(self, most: int | None = None) -> bytes:
        """Print the page on the paper that its styles name, or its first sheets alone."""
        # Tags and outline let a screen reader find its way, as in the page.
        printed = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True,
                           generateTaggedPDF=True, generateDocumentOutline=True,
                           pageRanges=f"1-{most}" if most else "")  # fmt: skip
        return base64.b64decode(printed["data"])

    def picture(self, selector: str) -> bytes | None:
        """Take a picture of one part of the page as PNG; null where it has no such part."""
        root = self.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        if not node:
            return None
        box = self.ask("DOM.getBoxModel", nodeId=node)["model"]["border"]
        edge = 8.0
        clip = {"x": box[0] - edge, "y": box[1] - edge, "width": box[4] - box[0] + 2 * edge,
                "height": box[5] - box[1] + 2 * edge, "scale": 1}  # fmt: skip
        taken = self.ask("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])
