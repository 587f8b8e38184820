"""Bodies that browsers send to the pages: too large, too slow, of another kind, or unreadable."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from dashboards import bodies
from dashboards.bodies import FORM_BYTES, FORM_TYPE, read_document, read_form
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.pages import OWN, Pages

MULTIPART = "multipart/form-data; boundary=B"
FILE = b'--B\r\nContent-Disposition: form-data; name="email"; filename="x"\r\n\r\n' + b"x" * 100_000 + b"\r\n--B--\r\n"
PATHS = ["/sign-in", "/sign-in/forgotten", "/invitation", "/reset", "/email-change"]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_stores_files_through_the_sign_in(pages: Pages, path: str) -> None:
    browser = pages.open_browser()
    file = browser.post(path, content=FILE, headers=OWN | {"content-type": MULTIPART})
    assert (file.status_code, "not a form" in file.text) == (415, True)
    long = browser.post(path, content=b"email=" + b"x" * FORM_BYTES, headers=OWN | {"content-type": FORM_TYPE})
    assert (long.status_code, "too long" in long.text) == (413, True)
    many = browser.post(path, content=b"a=1&" * 100, headers=OWN | {"content-type": FORM_TYPE})
    assert many.status_code == 400


def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive() -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(bodies, "SECONDS", 0.05)
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", FORM_TYPE.encode())]}
    with pytest.raises(HTTPException) as refused:
        asyncio.run(read_form(Request(scope, receive)))
    assert refused.value.status_code == 408


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"[" * 900_000, 400),
        (b'{"note": NaN}', 400),
        (b'{"note": 1e999}', 400),
        (b'{"note": "\\ud83d"}', 422),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'"' + b"x" * 1_000_001, 413),
    ],
)
def test_an_unreadable_document_is_refused(content: bytes, status: int) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": content, "more_body": False}

    with pytest.raises(HTTPException) as refused:
        asyncio.run(read_document(Request({"type": "http", "method": "PUT", "headers": []}, receive)))
    assert refused.value.status_code == status


@pytest.fixture
def put(pages: Pages, practice: PracticeFixture) -> Callable[..., Any]:
    browser = pages.sign_in(practice, practice.add("clinician"))
    path = "/notepad/01a230e0-881e-7bda-83e4-dbb1a401a214"
    return lambda **document: browser.put(path, content=json.dumps(document).encode(), headers=OWN)


@pytest.mark.parametrize(
    "field", [{"version": "1\r\nX: 1"}, {"version": True}, {"version": 1.5}, {"key": "a\r\nb" * 4}]
)
def test_no_field_becomes_a_header_of_its_own(put: Callable[..., Any], pages: Pages, field: dict[str, Any]) -> None:
    pages.client.sent.clear()
    answer = put(content={"sections": {}, "diagnoses": []}, **field)
    assert (answer.status_code, pages.client.sent) == (400, [])


def test_half_a_character_is_said(put: Callable[..., Any]) -> None:
    answer = put(content={"sections": {"plan": "half \ud83d"}, "diagnoses": []}, version=1)
    assert (answer.status_code, "half of a character" in answer.json()["problem"]) == (422, True)
