"""A server on this machine that speaks the documented protocol of a system."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One call: what was asked for, with the body as JSON or as a form."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Said:
    """One answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class System(Protocol):
    def answer(self, asked: Asked) -> Said: ...


@dataclass
class Server:
    """What was asked, and what goes wrong: `faults` are answered first, to calls they fit."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    faults: list[tuple[str, Said | None]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def fault(self, asked: Asked) -> tuple[bool, Said | None]:
        for n, (part, said) in enumerate(self.faults):
            if part in asked.path:
                del self.faults[n]
                return True, said
        return False, None


@contextmanager
def serving(system: System) -> Iterator[Server]:
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self, method: str) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_json = "json" in self.headers.get("Content-Type", "")
            form = {k: v[0] for k, v in parse_qs(raw).items()}
            asked = Asked(
                method,
                parts.path,
                {k: v[0] for k, v in parse_qs(parts.query).items()},
                dict(self.headers),
                json.loads(raw) if is_json and raw else form,
            )
            server.asked.append(asked)
            is_fault, said = server.fault(asked)
            if is_fault and said is None:  # the line goes dead
                self.close_connection = True
                self.connection.shutdown(2)
                return
            if said is not None and said.status == 0:  # somebody ends the program meanwhile
                os.kill(os.getpid(), signal.SIGTERM)
                server.ended.wait(600)
                return
            self._say(said if is_fault and said else system.answer(asked))

        def _say(self, said: Said) -> None:
            text = (
                ""
                if said.body is None
                else (
                    said.body
                    if isinstance(said.body, str)
                    else json.dumps(said.body, ensure_ascii=False)
                )
            )
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_GET(self) -> None:
            self._do("GET")

        def do_POST(self) -> None:
            self._do("POST")

        def log_message(self, *_told: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        http.shutdown()
        http.server_close()
        thread.join()
