"""The gate: the public address, own pages only, and nobody who is not signed in."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from dashboards import server
from dashboards.server import refuse_plain_http
from practice.errors import ConfigurationProblem
from tests.support.builders.people import PASSWORD, PracticeFixture, give_credentials
from tests.support.drivers.pages import OWN, PUBLIC_URL, Pages

FOREIGN = ["https://evil.example", "https://pages.example:444", "http://pages.example", "null", ""]


@pytest.mark.parametrize("origin", [*FOREIGN, None])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/session", "/_stcore/upload_file/x/y"])
def test_a_change_from_another_page_is_refused(
    pages: Pages, practice: PracticeFixture, origin: str | None, path: str
) -> None:
    browser = pages.sign_in(practice)
    headers = {} if origin is None else {"Origin": origin}
    refused = browser.post(path, headers=headers)
    assert (refused.status_code, "another web page" in refused.text) == (403, True)
    assert browser.get("/session").json()["open"] is True


def test_streamlit_finds_no_pages_of_its_own() -> None:
    """It would run the files of a folder `pages` beside the script instead of the script."""
    assert not (Path(server.__file__).parent / "pages").exists()


@pytest.mark.parametrize(
    "path", ["/healthfoo", "/health/x", "/sign-inx", "/sign-in/x", "/reset/overview", "/sessions", "/static/index.html"]
)
def test_only_whole_paths_are_open(pages: Pages, path: str) -> None:
    assert pages.open_browser().get(path, headers={"Host": "127.0.0.1:1"}).status_code == 421
    browser = pages.open_browser()
    browser.headers["accept"] = "application/json"
    assert browser.get(path).status_code in (401, 404)


def test_a_head_request_changes_nothing(pages: Pages, practice: PracticeFixture) -> None:
    give_credentials(practice.installation, practice.admin.account_id)
    form = {"email": practice.admin.email, "password": PASSWORD}
    answer = pages.open_browser().request("HEAD", "/sign-in", data=form, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
    assert pages.client.sent == []


def test_the_view_of_another_session_is_marked_by_the_gate(pages: Pages, practice: PracticeFixture) -> None:
    browser = pages.sign_in(practice)
    (session,) = pages.sessions.by_key.values()
    greeting = connect(browser, OWN | {"X-Caseload-Session": "somebody else's"})["text"]
    assert greeting == f"hello {session.key}"


@pytest.mark.parametrize("origin", [*FOREIGN, None])
def test_a_websocket_from_another_page_is_refused(pages: Pages, practice: PracticeFixture, origin: str | None) -> None:
    browser = pages.sign_in(practice)
    with pytest.raises(WebSocketDisconnect) as closed:
        connect(browser, {} if origin is None else {"Origin": origin})
    assert closed.value.code == 1008
    assert connect(browser, dict(OWN))["text"].startswith("hello")
    with pytest.raises(WebSocketDisconnect) as closed:
        connect(pages.open_browser(), dict(OWN))  # our own page, but nobody is signed in
    assert closed.value.code == 1008


def connect(browser: TestClient, headers: dict[str, str]) -> Any:
    with browser.websocket_connect(f"wss://{urlsplit(PUBLIC_URL).netloc}/_stcore/stream", headers=headers) as socket:
        return socket.receive()


@pytest.mark.parametrize(
    "path",
    ["/", "/overview", "/my-practice", "/files/rows.csv", "/files/statement.pdf", "/media/x", "/_stcore/host-config"],
)
def test_strangers_see_nothing(pages: Pages, path: str) -> None:
    browser = pages.open_browser()
    assert browser.get(path).headers["location"].startswith("/sign-in")
    browser.headers["accept"] = "application/json"
    assert browser.get(path).status_code == 401


def test_another_host_and_closed_paths_are_refused(pages: Pages, practice: PracticeFixture) -> None:
    browser = pages.sign_in(practice)
    other = browser.get("/overview", headers={"Host": "evil.example"})
    assert (other.status_code, PUBLIC_URL in other.text) == (421, True)
    for path in ("/_stcore/metrics", "/_stcore/agent/x", "/_stcore/upload_file/x/y"):
        assert browser.get(path).status_code == 404
    assert browser.put("/_stcore/upload_file/x/y", content=b"x", headers=OWN).status_code == 404
    for path in ("/static//index.html", "/static/./index.html", "/static/%2e/index.html", "/static/x/../index.html"):
        assert pages.open_browser().get(path, follow_redirects=False).status_code in (303, 307, 404), path
    assert browser.get("/health", headers={"Host": "127.0.0.1:8002"}).json() == {"status": "ready"}


def test_every_answer_has_the_headers_of_security(pages: Pages, practice: PracticeFixture) -> None:
    browser = pages.sign_in(practice)
    for path in ("/sign-in", "/overview", "/session", "/files/rows.exe"):
        headers = browser.get(path).headers
        assert headers["cache-control"] == "no-store"
        policy = headers["content-security-policy"]
        assert "unsafe-eval" not in policy.replace("'wasm-unsafe-eval'", "")
        assert "frame-ancestors 'none'" in policy
        assert headers["strict-transport-security"]
    assert "no-store" not in browser.get("/assets/mark.svg").headers.get("cache-control", "")


@pytest.mark.parametrize(
    ("url", "refused"),
    [("http://pages.example", True), ("https://pages.example", False), ("http://127.0.0.1:8002", False)],
)
def test_plain_http_is_for_this_machine_only(url: str, refused: bool) -> None:
    if refused:
        with pytest.raises(ConfigurationProblem, match="https"):
            refuse_plain_http(url)
    else:
        refuse_plain_http(url)
