"""A real browser on the running pages. Chromium is installed by `make browser`, where that is possible."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import httpx2
import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sqlalchemy import text, update

from dashboards.gate import COOKIE
from practice.security.models import Account
from tests.support.builders.people import PASSWORD, Person, PracticeFixture, give_credentials
from tests.support.drivers.server import READY_SECONDS, ROOT, Server, find_free_port, stop_process

CHROMIUM = shutil.which("chromium")
MISSING = "Chromium is missing: the pages were NOT tested in a browser. Run `make browser`."
NEEDED = "CASELOAD_BROWSER"  # set to `required`, a missing browser is a failure
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def require_chromium() -> str:
    """Return Chromium's path; without it skip the test, or fail it where a browser is required."""
    if CHROMIUM is None:
        if os.environ.get(NEEDED) == "required":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return CHROMIUM


@contextmanager
def run_pages(
    server: Server, folder: Path, module: str = "dashboards.server", port: int | None = None
) -> Generator[str]:
    """Serve the pages of a running API until the end of the block, and yield their address.

    `module` runs them with a mistake on purpose (`faulty_pages.py`).
    """
    port = port or find_free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "CASELOAD_DATA_DIR": str(folder),
        "CASELOAD_API_URL": server.url,
        "CASELOAD_DASHBOARDS_PORT": str(port),
        "CASELOAD_PUBLIC_URL": url,
    }
    output = folder / "pages-output"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", *module.split()],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not answers(url):
            assert process.poll() is None, output.read_text()[-2000:]
            assert time.monotonic() < deadline, output.read_text()[-2000:]
            time.sleep(0.1)
        yield url
    finally:
        stop_process(process)


def answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=5).status_code == 200
    except httpx2.TransportError:
        return False


@dataclass
class Visitor:
    """Somebody with a browser of their own, and what it complained about."""

    url: str
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str = "/") -> Page:
        """Open a page in a new tab."""
        page = self.context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(httpx2.URL(request.url).host))
        page.on("response", lambda answer: self.complaints.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{self.url}{path}")
        return page

    def come_back(self, cookie: str) -> None:
        """Continue a session that was opened elsewhere, without the steps of a sign-in."""
        secure = self.url.replace("http:", "https:")  # Chromium takes a `__Host-` cookie for such an address only
        self.context.add_cookies([{"name": COOKIE, "value": cookie, "url": secure, "secure": True, "httpOnly": True}])

    def sign_in(self, server: Server, person: Person) -> Page:
        """Sign in with password and authenticator, and return the page that follows."""
        secret = give_credentials(server.installation, person.account_id)
        with server.installation.store.begin_system_session() as db:  # or the password would be due to change
            now = datetime.now(UTC)
            db.execute(update(Account).where(Account.id == person.account_id).values(password_set_at=now))
        page = self.open()
        page.get_by_label("Email address").fill(person.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("The six digits of your authenticator").fill(pyotp.TOTP(secret).now())
        page.get_by_role("button", name="Sign in").click()
        wait_until_drawn(page)
        return page


def load_rows(practice: PracticeFixture, statement: str) -> list[Any]:
    """Return what the database says of the practice."""
    with practice.installation.store.begin_session(practice.id) as db:
        return [tuple(row) for row in db.execute(text(statement))]


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector(IDLE, timeout=60_000)
    page.wait_for_timeout(500)  # components draw after the script has run


FOCUSED = "((element) => element.innerText || element.ariaLabel || '')(document.activeElement).trim()"
MAX_TABS = 120


def go_to(page: Page, label: str) -> None:
    """Press Tab until something with words that begin with the label has the focus."""
    for _ in range(MAX_TABS):
        page.keyboard.press("Tab")
        words = page.evaluate(FOCUSED).split("\n\n")[:2]  # an icon's name comes before the words
        if any(line.startswith(label) for line in words):
            return
    raise AssertionError(f"No Tab leads to {label}.")


def press_key(page: Page, label: str) -> None:
    """Press a button or link by keyboard alone."""
    go_to(page, label)
    page.keyboard.press("Enter")


@contextmanager
def open_visitor(
    url: str, width: int = 1280, color_scheme: Literal["light", "dark"] = "light", time_zone: str | None = None
) -> Generator[Visitor]:
    with sync_playwright() as playwright:
        browser: Browser = playwright.chromium.launch(executable_path=require_chromium(), args=ARGUMENTS)
        viewport: Any = {"width": width, "height": 1000}
        yield Visitor(url, browser.new_context(viewport=viewport, color_scheme=color_scheme, timezone_id=time_zone))
        browser.close()
