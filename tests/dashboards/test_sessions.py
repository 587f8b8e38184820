"""Sessions of browsers: one refresh for many requests, restarts, and what never leaves the process."""

import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from dashboards.gate import COOKIE
from dashboards.sessions import ApiUnavailable, Session, SessionEnded
from practice.people.staff import deactivate_staff
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.drivers.pages import OWN, Pages


def open_session(pages: Pages, practice: PracticeFixture) -> tuple[str, Session]:
    return pages.sessions.open(pages.list_tokens(practice))


def count_refreshes(pages: Pages) -> int:
    return sum(path == "/auth/refresh" for _, path, _ in pages.client.sent)


def test_fifty_requests_at_the_end_of_a_token_refresh_it_once(pages: Pages, practice: PracticeFixture) -> None:
    _, session = open_session(pages, practice)
    for number in range(3):
        session.good_until = 0.0
        with ThreadPoolExecutor(20) as threads:
            answers = list(threads.map(lambda _: pages.sessions.call(session, "GET", "/auth/me"), range(50)))
        assert {answer.status_code for answer in answers} == {200}
        assert count_refreshes(pages) == number + 1


def test_a_token_that_the_api_refuses_is_refreshed(pages: Pages, practice: PracticeFixture) -> None:
    _, session = open_session(pages, practice)
    session.access_token = "eyJ.not.valid"
    assert pages.sessions.call(session, "GET", "/auth/me").status_code == 200
    assert count_refreshes(pages) == 1


def test_a_restart_signs_nobody_out(pages: Pages, practice: PracticeFixture) -> None:
    cookie, session = open_session(pages, practice)
    other, _ = open_session(pages, practice)
    pages.start()
    browser = pages.open_browser(cookie)
    assert browser.get("/session").json()["open"] is True
    assert pages.open_browser(other[:-1] + "A").get("/overview").status_code == 303
    content = b"".join(file.read_bytes() for file in pages.settings.dashboard_sessions.parent.iterdir())
    for secret in (cookie, other, session.refresh_token, session.access_token):
        assert secret.encode() not in content
    assert oct(pages.settings.dashboard_sessions.stat().st_mode)[-3:] == "600"


def test_asking_is_no_activity_and_typing_is(pages: Pages, practice: PracticeFixture) -> None:
    browser = pages.sign_in(practice)
    session = next(iter(pages.sessions.by_key.values()))
    session.last_activity = time.monotonic() - 800
    assert browser.get("/session").json()["left"] in (99, 100)
    assert pages.client.sent[-1][2].get("X-Background") == "1"
    assert browser.post("/session", headers=OWN).json()["left"] == 900
    assert "X-Background" not in pages.client.sent[-1][2]


def test_a_person_who_left_is_out_at_the_next_request(pages: Pages, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    browser = pages.sign_in(practice, person)
    with practice.work() as work:
        deactivate_staff(work, person.staff_id, NOW.date())
    assert browser.get("/session").json() == {"open": False, "why": "idle"}
    assert browser.get("/my-practice").status_code == 303
    assert pages.sessions.file.load(next(iter(pages.sessions.by_key)), b"0" * 32) is None


def test_an_api_that_is_away_signs_nobody_out(
    pages: Pages, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise httpx2.ConnectError("refused")

    browser = pages.sign_in(practice)
    session = pages.sessions.find(browser.cookies[COOKIE])
    assert session is not None
    with monkeypatch.context() as away:
        away.setattr(pages.client, "request", refuse)
        with pytest.raises(ApiUnavailable):
            pages.sessions.call(session, "GET", "/auth/me")
        assert browser.get("/session").json() == {"open": True}
        form = pages.open_browser().post("/sign-in", data={"email": "a@b.example", "password": "x"}, headers=OWN)
        assert (form.status_code, "cannot be reached" in form.text) == (503, True)
    assert browser.get("/session").json()["open"] is True


def test_an_ended_session_is_never_used_again(pages: Pages, practice: PracticeFixture) -> None:
    _, session = open_session(pages, practice)
    pages.sessions.end(session, "out")
    with pytest.raises(SessionEnded):
        pages.sessions.call(session, "GET", "/auth/me")
    assert pages.client.sent == []


def test_sessions_that_were_left_are_forgotten(pages: Pages, practice: PracticeFixture) -> None:
    _, left = open_session(pages, practice)
    left.last_activity = time.monotonic() - 25 * 3600
    _, kept = open_session(pages, practice)
    assert pages.sessions.by_key == {kept.key: kept}
