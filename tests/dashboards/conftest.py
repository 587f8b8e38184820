"""The pages' server of one test, and people who look at pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from dashboards import signed_in
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.pages import Browser, Pages


@pytest.fixture
def pages(client: TestClient, portal: BlockingPortal, tmp_path: Path) -> Iterator[Pages]:
    yield Pages(client.app, portal, tmp_path)  # ty: ignore[invalid-argument-type]
    signed_in.sessions = None


@pytest.fixture
def open_as(pages: Pages, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch) -> Any:
    def open_browser(role: str) -> Browser:
        person = practice.people.get(role) or (practice.admin if role == "admin" else practice.add(role))
        return Browser(pages, practice, person, monkeypatch)

    return open_browser
