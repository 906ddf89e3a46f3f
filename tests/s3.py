"""What the tests with buckets share: a server, buckets on it, a proxy that looks on."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import unquote, urlsplit

from processes import Server

# What is between two machines only.
_HOPS = {"transfer-encoding", "connection", "date", "content-length"}

_NUMBERS = count()


class Bucket:
    """A new bucket, seen through Amazon's own library."""

    def __init__(self, server: Server) -> None:
        import boto3

        self.server = server
        self.client = boto3.client(
            "s3",
            endpoint_url=server.address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self.name = f"bucket-{next(_NUMBERS)}"
        self.url = f"s3://{self.name}"
        self.client.create_bucket(Bucket=self.name)

    def fill(self, number: int) -> None:
        """Put so many empty pictures into it."""
        assert self.server.order(f"fill {self.name} {number}") == "filled"

    def put(self, key: str, data: bytes, **options: Any) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data, **options)

    def get(self, key: str) -> bytes:
        data: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return data

    def keys(self, prefix: str = "") -> set[str]:
        answer = self.client.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return {found["Key"] for found in answer.get("Contents", ())}

    def below(self, prefix: str) -> dict[str, bytes]:
        return {k.removeprefix(prefix): self.get(k) for k in self.keys(prefix)}

    def keep_versions(self) -> None:
        self.client.put_bucket_versioning(
            Bucket=self.name, VersioningConfiguration={"Status": "Enabled"}
        )

    def versions(self, prefix: str) -> list[str]:
        """The key of each object that was ever put."""
        answer = self.client.list_object_versions(Bucket=self.name, Prefix=prefix)
        return sorted(version["Key"] for version in answer["Versions"])


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
