"""Being signed in, in a real Chromium: what keeps a session, what ends it, and that no token reaches the browser."""

from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from dashboards.gate import COOKIE
from dashboards.session_file import SessionFile
from dashboards.sessions import derive_sealing_key, hash_cookie
from practice.settings import Settings
from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.browser import open_visitor, run_pages, wait_until_drawn
from tests.support.drivers.http import V1, token_headers
from tests.support.drivers.server import Server, find_free_port
from tests.support.drivers.views import open_session
from tests.support.oracles.canaries import find_words, list_files

WATCHED = 21_000  # the watch of a page asks every twenty seconds
STORED = "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"


def call(server: Server, practice: PracticeFixture, person: Person, method: str, path: str, **options: Any) -> Any:
    """Call the API as the person from another device."""
    headers = token_headers(practice.token(person)) | options.pop("headers", {})
    return httpx2.request(method, f"{server.url}{V1}{path}", headers=headers, **options)


def test_a_restart_of_the_pages_keeps_the_session_and_a_second_tab(
    server: Server, practice: PracticeFixture, tmp_path: Path
) -> None:
    port = find_free_port()
    with run_pages(server, tmp_path, port=port) as url, open_visitor(url) as visitor:
        visitor.sign_in(server, practice.admin)
    with open_visitor(url) as visitor:
        with run_pages(server, tmp_path, port=port):
            page = visitor.sign_in(server, practice.add("clinician"))
            assert page.get_by_role("heading", name="Hello").is_visible()
        with run_pages(server, tmp_path, port=port):
            page.reload()
            wait_until_drawn(page)
            assert page.get_by_role("heading", name="Hello").is_visible()
            tab = visitor.open("/account")
            wait_until_drawn(tab)
            assert tab.get_by_role("heading", name="My account").is_visible()


def test_a_session_that_is_ended_elsewhere_leaves_the_page(
    server: Server, url: str, folder: Path, practice: PracticeFixture
) -> None:
    person = practice.add("scheduler")
    with open_visitor(url) as visitor:
        visitor.come_back(open_session(server, folder, practice, person))
        page = visitor.open("/schedule")
        wait_until_drawn(page)
        found = call(server, practice, person, "GET", "/auth/sessions").json()["items"]
        for session in found:
            call(server, practice, person, "DELETE", f"/auth/sessions/{session['id']}")
        page.wait_for_url("**/sign-in*", timeout=WATCHED)


def test_fifteen_idle_minutes_end_a_session(server: Server, url: str, folder: Path, practice: PracticeFixture) -> None:
    person = practice.add("scheduler")
    with open_visitor(url) as visitor:
        visitor.come_back(open_session(server, folder, practice, person))
        page = visitor.open("/schedule")
        wait_until_drawn(page)
        with server.installation.store.begin_system_session() as db:
            idle = (
                "update account_sessions set last_seen_at = last_seen_at - interval '16 minutes' where account_id = :id"
            )
            db.execute(text(idle), {"id": person.account_id})
        page.wait_for_url("**/sign-in*", timeout=WATCHED)
        assert page.get_by_role("status").or_(page.get_by_role("alert")).inner_text()


def test_a_role_that_was_taken_away_refuses_the_next_click(
    server: Server, url: str, folder: Path, practice: PracticeFixture
) -> None:
    person = practice.add("scheduler")
    with open_visitor(url) as visitor:
        visitor.come_back(open_session(server, folder, practice, person))
        page = visitor.open("/schedule")
        wait_until_drawn(page)
        staff = call(server, practice, practice.admin, "GET", f"/staff/{person.staff_id}").json()
        changed = call(
            server,
            practice,
            practice.admin,
            "PATCH",
            f"/staff/{person.staff_id}",
            json={"roles": ["biller"]},
            headers={"If-Match": f'"{staff["version"]}"'},
        )
        assert changed.status_code == 200, changed.text
        page.get_by_role("button", name="Later").click()
        page.get_by_role("alert").first.wait_for(timeout=30_000)
        assert page.get_by_text("Visits of the day").count() == 0
        assert "do not permit this" in page.get_by_role("alert").first.inner_text()


def test_no_token_reaches_the_browser_or_a_file(
    server: Server, url: str, folder: Path, practice: PracticeFixture
) -> None:
    person = practice.add("clinician")
    tokens = practice.tokens(person)
    cookie = open_session(server, folder, practice, person, tokens)
    answers: list[str] = []
    with open_visitor(url) as visitor:
        visitor.come_back(cookie)
        page = visitor.open("/my-practice")
        page.on("response", lambda answer: answers.append(answer.url + str(answer.headers)))
        page.reload()
        wait_until_drawn(page)
        shown = page.content() + page.evaluate(STORED) + "".join(answers)
        (kept,) = [found for found in visitor.context.cookies() if found["name"] == COOKIE]
        assert (kept["httpOnly"], kept["secure"]) == (True, True)
    file = SessionFile(Settings(data_dir=folder).dashboard_sessions)
    newest = file.load(hash_cookie(cookie), derive_sealing_key(cookie))
    assert newest
    words = {"access": tokens.access, "refresh": tokens.refresh, "newest": newest, "cookie": cookie}
    assert [name for name, word in words.items() if word in shown] == []
    assert find_words(words, list_files(folder)) == []
