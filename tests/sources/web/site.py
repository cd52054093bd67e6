"""A local web service that answers as told, misbehaves on demand and remembers what it was asked."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """What is sent back. ``promised`` is a Content-Length other than the body's; ``hang_s`` waits first."""

    body: object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    hang_s: float = 0.0
    trickle_s: float = 0.0

    def data(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class Asked:
    """One call as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


Answering = Callable[[Asked], Reply]


class Site:
    """Replies by path: a list is used up one by one (the last stays), a function is called."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.replies: dict[str, list[Reply] | Answering] = {}
        self.asked: list[Asked] = []
        self.busy = self.busiest = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def on(self, path: str, *replies: Reply | Answering) -> None:
        first = replies[0]
        self.replies[path] = list(replies) if isinstance(first, Reply) else first

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def answer(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            known = self.replies.get(asked.path)
            if isinstance(known, list):
                return known.pop(0) if len(known) > 1 else known[0]
        return Reply("<html><title>404</title>", 404) if known is None else known(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
                query = parse_qs(parts.query, keep_blank_values=True)
                with site._lock:
                    site.busy += 1
                    site.busiest = max(site.busiest, site.busy)
                try:
                    self._send(
                        site.answer(
                            Asked(
                                self.command,
                                parts.path,
                                {k: v[0] for k, v in query.items()},
                                {k: v[0] for k, v in form.items()},
                                dict(self.headers.items()),
                            )
                        )
                    )
                except OSError:
                    # The caller has given up; so it is meant.
                    self.close_connection = True
                finally:
                    with site._lock:
                        site.busy -= 1

            do_POST = do_GET  # noqa: N815 - the name that the standard library calls

            def _send(self, reply: Reply) -> None:
                time.sleep(reply.hang_s)
                data = reply.data()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(reply.promised or len(data)))
                self.end_headers()
                if reply.trickle_s:
                    for byte in data:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(reply.trickle_s)
                else:
                    self.wfile.write(data)
                if reply.promised:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
