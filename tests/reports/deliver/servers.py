"""Servers on this machine that stand in for the mail server and the chat services."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Chats:
    """Records what is posted; answers as told, else as a service that is content."""

    def __init__(self) -> None:
        self.posted: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.url = ""


@contextmanager
def chats() -> Iterator[Chats]:
    seen = Chats()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.asked.append((self.path, dict(self.headers)))
            seen.bodies.append(body)
            seen.posted.append(json.loads(body))
            status, headers, text = seen.answers.pop(0) if seen.answers else (200, {}, "{}")
            if status == 0:  # the line goes dead after the message was taken
                self.connection.close()
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_told: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mails:
    """Records what is mailed; answers as told, else with 250."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answers: list[str] = []
        self.url = ""

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]  # type: ignore[misc]

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "dead":
            self.raw.append(envelope.content)
            session.peer = None
            _server.transport.abort()
            return "250 OK"
        if answer.startswith("250"):
            self.raw.append(envelope.content)
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return answer


@contextmanager
def mails() -> Iterator[Mails]:
    seen = Mails()
    controller = Controller(seen, hostname="127.0.0.1", port=free_port())
    controller.start()
    seen.url = f"smtp://127.0.0.1:{controller.port}?starttls=off"
    try:
        yield seen
    finally:
        controller.stop()
