"""The pages as a browser sees them before Streamlit: forms, cookies and redirects, over the service in this process."""

from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

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
    """Stand in for Streamlit, which talks to whoever reaches it."""
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def post_form(browser: TestClient, path: str, **fields: str) -> Any:
    return browser.post(path, data=fields, headers=OWN)


def enter_password(browser: TestClient, email: str, password: str = PASSWORD, **fields: str) -> Any:
    return post_form(browser, "/sign-in", email=email, password=password, **fields)


def enter_code(browser: TestClient, secret: str, at: datetime) -> Any:
    return post_form(browser, "/sign-in/code", code=generate_code(secret, at))
