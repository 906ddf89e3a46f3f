"""What the tests with buckets share: a server, and a proxy that looks on."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What is between two machines only.
_HOPS = {"transfer-encoding", "connection", "date", "content-length"}

Order = Callable[[str], None]


@contextmanager
def server() -> Iterator[tuple[str, Order]]:
    """An S3 server: its address, and what gives it an order."""
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("s3_server.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout
        address = stdout.readline().strip()
        assert address, "the server did not start"

        def order(line: str) -> None:
            stdin.write(f"{line}\n")
            stdin.flush()
            assert stdout.readline() == "filled\n"

        yield address, order
        stdin.close()


class Proxy(ThreadingHTTPServer):
    """Stands between faceanon and the server: counts, and answers instead of it.

    Attributes:
        requests: the method and path of each request.
        answer: what may answer a request with a status instead of the server.
        rewrite: what may change the server's lists.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = urlsplit(behind).netloc
        self.requests: list[tuple[str, str]] = []
        self.answer: Callable[[str, str], int | None] = lambda method, path: None
        self.rewrite: Callable[[bytes], bytes] = lambda data: data

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def count(self, method: str, part: str = "") -> int:
        return sum(m == method and part in path for m, path in self.requests)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(self.path)
        self.server.requests.append((self.command, path))
        status = self.server.answer(self.command, path)
        if status is not None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        connection = http.client.HTTPConnection(self.server.behind)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        data = answer.read()
        if "list-type" in path:
            data = self.server.rewrite(data)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOPS:
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0")
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", length if is_head else str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = _pass_on

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy(behind: str) -> Iterator[Proxy]:
    with Proxy(behind) as between:
        thread = threading.Thread(target=between.serve_forever, daemon=True)
        thread.start()
        yield between
        between.shutdown()
        thread.join()
