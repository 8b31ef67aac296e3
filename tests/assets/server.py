"""A server on loopback that behaves as servers do: it cuts, and redirects."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What the server has under a path, and how it behaves."""

    content: bytes
    cut_after: list[int] = field(default_factory=list)
    """Bytes after which the next answers are cut."""
    states: list[int] = field(default_factory=list)
    """States of the next answers, instead of the file."""
    ranges: bool = True
    """Whether it gives parts."""
    etag: str | None = '"one"'
    kind: str = "application/octet-stream"
    heeds: bool = True
    """Whether it heeds the version that a part is asked of."""
    length: bool = True
    """Whether it states the length."""
    to: str = ""
    """Where it redirects."""
    asked: list[dict] = field(default_factory=list)
    """Headers of the requests that came."""


@contextmanager
def serving(files):
    """Serve files by their paths; yields the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            served = files.get(self.path.partition("?")[0])
            if served is None:
                return self.send_error(404)
            served.asked.append(dict(self.headers))
            if served.states:
                return self.send_error(served.states.pop(0))
            if served.to:
                self.send_response(302)
                self.send_header("Location", served.to)
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.give(served)

        def give(self, served):
            start = self.start(served)
            if start is not None and start >= len(served.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(served.content)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            body = served.content[start or 0 :]
            self.send_response(200 if start is None else 206)
            self.send_header("Content-Type", served.kind)
            if served.etag:
                self.send_header("ETag", served.etag)
            if start is not None:
                end = len(served.content)
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
            if served.length:
                self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            if served.cut_after:
                body = body[: served.cut_after.pop(0)]
            self.wfile.write(body)

        def start(self, served):
            """Where the part that is asked for begins; None for the whole file."""
            asked = self.headers.get("Range")
            same = self.headers.get("If-Range") in (None, served.etag)
            same = same or not served.heeds
            if not asked or not served.ranges or not same:
                return None
            return int(asked.removeprefix("bytes=").rstrip("-"))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
