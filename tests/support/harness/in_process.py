"""The service in this process, called over HTTP and served by threads as in production.

All clients share one event loop: a loop and threads per request take longer than most responses.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import anyio
import httpx2
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from fastapi.testclient import TestClient


class InProcessClient(TestClient):
    """A test client for concurrent use. An unexpected failure is a response, as for any client."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        super().__init__(app, raise_server_exceptions=False)
        self._transport = InProcessTransport(app, portal)


class InProcessTransport(httpx2.BaseTransport):
    """A transport that runs each request in the shared event loop."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self.app, self.portal = app, portal

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.portal.call(Exchange(request).run, self.app)


class Exchange:
    """A request and its response."""

    def __init__(self, request: httpx2.Request) -> None:
        self.request = request
        self.to_send: Iterator[bytes] = iter([request.read()])
        self.start: dict[str, Any] | None = None
        self.parts: list[bytes] = []
        self.complete = anyio.Event()

    async def run(self, app: FastAPI) -> httpx2.Response:
        url = self.request.url
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": self.request.method,
            "scheme": url.scheme,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "root_path": "",
            "client": ("testclient", 50000),
            "server": (url.host, url.port or 80),
        }
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            if self.start is None:
                raise
        assert self.start is not None
        body = b"" if self.request.method == "HEAD" else b"".join(self.parts)
        return httpx2.Response(self.start["status"], headers=self.start["headers"], stream=httpx2.ByteStream(body))

    async def receive(self) -> dict[str, Any]:
        for body in self.to_send:
            return {"type": "http.request", "body": body}
        await self.complete.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.parts.append(message.get("body", b""))
            if not message.get("more_body"):
                self.complete.set()
