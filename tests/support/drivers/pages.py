"""The pages as a browser sees them before Streamlit: forms, cookies and redirects, over the service in this process."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.testing.v1 import AppTest

from dashboards import signed_in
from dashboards.gate import COOKIE
from dashboards.server import build_parts
from dashboards.sessions import Sessions
from practice.settings import Settings
from tests.support.builders.people import PASSWORD, Person, PracticeFixture
from tests.support.drivers.sign_in_flow import generate_code
from tests.support.harness.in_process import InProcessClient

PUBLIC_URL = "https://pages.example"
OWN = {"Origin": PUBLIC_URL}
APP = str(Path(signed_in.__file__).parent / "app.py")


class RecordingClient(InProcessClient):
    """A client of the API that remembers what was sent, as (method, path, headers)."""

    def __init__(self, app: FastAPI, portal: Any) -> None:
        super().__init__(app, portal)
        self.base_url = "http://testserver/api/v1/"
        self.sent: list[tuple[str, str, dict[str, str]]] = []

    def request(self, method: str, url: Any, **options: Any) -> Any:
        self.sent.append((method, str(url), dict(options.get("headers") or {})))
        return super().request(method, url, **options)


class Pages:
    """The pages' server, a browser on it, and the API behind it."""

    def __init__(self, api: FastAPI, portal: Any, folder: Path) -> None:
        self.settings = Settings(data_dir=folder, public_url=PUBLIC_URL)
        self.api, self.portal = api, portal
        self.start()

    def start(self) -> None:
        """Start the server, or start it again as after a crash."""
        parts = build_parts(self.settings)
        parts["routes"].append(WebSocketRoute("/_stcore/stream", greet))  # Streamlit's; it runs once in a process
        self.app = Starlette(**parts)
        self.sessions.client = self.client = RecordingClient(self.api, self.portal)

    @property
    def sessions(self) -> Sessions:
        assert signed_in.sessions is not None
        return signed_in.sessions

    def open_browser(self, cookie: str | None = None) -> TestClient:
        browser = TestClient(self.app, base_url=PUBLIC_URL, follow_redirects=False)
        browser.headers["accept"] = "text/html"
        if cookie is not None:
            browser.cookies.set(COOKIE, cookie)
        return browser

    def sign_in(self, practice: PracticeFixture, person: Person | None = None) -> TestClient:
        """Return the browser of a signed-in person, without the steps."""
        cookie, _ = self.sessions.open(self.list_tokens(practice, person))
        return self.open_browser(cookie)

    def list_tokens(self, practice: PracticeFixture, person: Person | None = None) -> dict[str, Any]:
        tokens = practice.tokens(person)
        return {"access_token": tokens.access, "refresh_token": tokens.refresh, "expires_in": 300}


async def greet(socket: WebSocket) -> None:
    """Stand in for Streamlit, which talks to everybody who reaches it."""
    await socket.accept()
    await socket.send_text(f"hello {socket.headers.get('x-caseload-session')}")
    await socket.close()


def post_form(browser: TestClient, path: str, **fields: str) -> Any:
    return browser.post(path, data=fields, headers=OWN)


def enter_password(browser: TestClient, email: str, password: str = PASSWORD, **fields: str) -> Any:
    return post_form(browser, "/sign-in", email=email, password=password, **fields)


def enter_code(browser: TestClient, secret: str, at: datetime) -> Any:
    return post_form(browser, "/sign-in/code", code=generate_code(secret, at))


class Browser:
    """A person who looks at the pages, through Streamlit's own test harness."""

    def __init__(self, pages: Pages, practice: PracticeFixture, person: Person, patch: pytest.MonkeyPatch) -> None:
        _, self.session = pages.sessions.open(pages.list_tokens(practice, person))
        patch.setattr(signed_in, "find_session", lambda: self.session if self.session.ended is None else None)
        self.pages, self.app = pages, AppTest.from_file(APP, default_timeout=60)

    def run(self, **query: str) -> "Browser":
        for name, value in query.items():
            self.app.query_params[name] = value
        self.pages.client.sent.clear()
        self.app.run()
        assert not self.app.exception, self.app.exception
        return self

    def list_calls(self) -> list[str]:
        return [f"{method} {path}" for method, path, _ in self.pages.client.sent]

    def read_components(self) -> list[Any]:
        """Return the data of our own components, in the order of the page."""
        return [json.loads(element.proto.json) for element in self.app.get("bidi_component")]

    def read_text(self) -> str:
        """Return everything that the page says."""
        elements = [*self.app.markdown, *self.app.caption, *self.app.info, *self.app.warning, *self.app.error]
        html = [element.proto.body for element in self.app.get("html")]
        return "\n".join([*(element.value for element in elements), *html, json.dumps(self.read_components())])
