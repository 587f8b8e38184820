"""How long a session lasts and how it ends, on whichever worker the next request lands."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from practice.security.sign_in import Tokens
from tests.support.builders.people import PracticeFixture, make_platform_admin, sign_in
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.server import Server, at_once


def me(http: httpx2.Client, token: str, **headers: str) -> httpx2.Response:
    return http.get(f"{V1}/auth/me", headers=with_token(token, **headers))


def refresh(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.post(f"{V1}/auth/refresh", json={"refresh_token": token})


def refused_everywhere(http: httpx2.Client, token: str, status: int = 401) -> bool:
    return {answer.status_code for answer in at_once(lambda _: me(http, token), range(12))} == {status}


def age(server: Server, session_id: UUID, *, started: float = 0, seen: float = 0) -> None:
    """Have the session begun, and its person last seen, so many seconds ago."""
    with server.superuser() as db:
        db.execute(
            "update account_sessions set started_at = now() - make_interval(secs => %s),"
            " last_seen_at = now() - make_interval(secs => %s) where id = %s",
            (started, seen, session_id),
        )


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.practice()


def signed_in(practice: PracticeFixture) -> Tokens:
    return practice.tokens(now=datetime.now(UTC))


def test_a_refresh_token_used_twice_ends_the_session(http: httpx2.Client, practice: PracticeFixture) -> None:
    first = signed_in(practice)
    second = refresh(http, first.refresh).json()
    third = refresh(http, second["refresh_token"]).json()
    assert me(http, third["access_token"]).status_code == 200
    assert me(http, first.access).status_code == 200  # the same session, not yet expired
    reused = refresh(http, first.refresh)
    assert (reused.status_code, code_of(reused)) == (401, "UNAUTHORIZED")
    assert refresh(http, third["refresh_token"]).status_code == 401
    for token in (first.access, second["access_token"], third["access_token"]):
        assert refused_everywhere(http, token)


def test_of_parallel_refreshes_with_one_token_at_most_one_gets_a_pair_and_that_is_worth_nothing(
    http: httpx2.Client, practice: PracticeFixture
) -> None:
    for _ in range(5):
        tokens = signed_in(practice)
        answers = at_once(lambda token: refresh(http, token), [tokens.refresh] * 2)
        counted = Counter(answer.status_code for answer in answers)
        assert counted[200] <= 1
        assert set(counted) <= {200, 401}
        for answer in answers:
            if answer.status_code == 200:
                assert refresh(http, answer.json()["refresh_token"]).status_code == 401
                assert me(http, answer.json()["access_token"]).status_code == 401
        assert me(http, tokens.access).status_code == 401


def test_a_refresh_token_is_worth_seven_days_and_nothing_of_the_sort_is_worth_anything(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = signed_in(practice)
    with server.superuser() as db:
        db.execute("update refresh_tokens set expires_at = now() where session_id = %s", (tokens.session_id,))
    assert refresh(http, tokens.refresh).status_code == 401
    assert refresh(http, tokens.access[:43]).status_code == 401
    assert refresh(http, "A" * 43).status_code == 401


def test_fifteen_idle_minutes_end_a_session(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    for _ in range(5):
        tokens = signed_in(practice)
        began = time.monotonic()
        age(server, tokens.session_id, started=3600, seen=14 * 60 + 59)
        answer = me(http, tokens.access)
        if time.monotonic() - began < 1:  # else the 15 minutes were over before the answer
            break
    assert answer.status_code == 200
    age(server, tokens.session_id, started=3600, seen=14 * 60)
    assert me(http, tokens.access).status_code == 200  # the request before was activity
    age(server, tokens.session_id, started=3600, seen=15 * 60 + 1)
    assert refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401
    age(server, tokens.session_id, started=60, seen=0)
    assert me(http, tokens.access).status_code == 401  # over is over


def test_twelve_hours_end_a_session_however_busy(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = signed_in(practice)
    age(server, tokens.session_id, started=12 * 3600 - 5)
    assert me(http, tokens.access).status_code == 200
    age(server, tokens.session_id, started=12 * 3600 + 1)
    assert refused_everywhere(http, tokens.access)


def test_a_page_that_refreshes_itself_is_no_activity(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = signed_in(practice)

    def idle() -> float:
        with server.superuser() as db:
            query = "select extract(epoch from now() - last_seen_at)::float from account_sessions where id = %s"
            (seconds,) = db.execute(query, (tokens.session_id,)).fetchone() or (0,)
            return seconds

    age(server, tokens.session_id, started=3600, seen=600)
    assert me(http, tokens.access, X_Background="1").status_code == 200
    assert refresh(http, tokens.refresh).status_code == 200
    assert idle() >= 600
    assert me(http, tokens.access).status_code == 200
    assert idle() < 60


def test_logging_out_counts_at_once_and_for_this_session_alone(http: httpx2.Client, practice: PracticeFixture) -> None:
    one, other = signed_in(practice), signed_in(practice)
    assert http.post(f"{V1}/auth/logout", headers=with_token(one.access)).status_code == 204
    assert refused_everywhere(http, one.access)
    assert refresh(http, one.refresh).status_code == 401
    assert me(http, other.access).status_code == 200
    ended = http.delete(f"{V1}/auth/sessions/{other.session_id}", headers=with_token(signed_in(practice).access))
    assert ended.status_code == 204
    assert refused_everywhere(http, other.access)


def test_nobody_ends_the_session_of_another(http: httpx2.Client, practice: PracticeFixture) -> None:
    biller = practice.add("biller")
    theirs = practice.tokens(biller, now=datetime.now(UTC))
    refused = http.delete(f"{V1}/auth/sessions/{theirs.session_id}", headers=with_token(signed_in(practice).access))
    assert refused.status_code == 404
    assert me(http, theirs.access).status_code == 200


def test_a_change_of_roles_counts_from_the_next_request_on(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    token = practice.token(person, datetime.now(UTC))
    boss = with_token(signed_in(practice).access)
    path = f"{V1}/staff/{person.staff_id}"

    def audit(_: int) -> int:
        return http.get(f"{V1}/audit", headers=with_token(token)).status_code

    assert set(at_once(audit, range(12))) == {403}
    for roles, expected in ((["admin"], 200), (["clinician"], 403)):
        etag = http.get(path, headers=boss).headers["ETag"]
        assert http.patch(path, json={"roles": roles}, headers=boss | {"If-Match": etag}).status_code == 200
        assert set(at_once(audit, range(12))) == {expected}


def test_somebody_who_leaves_is_out_at_once(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    tokens = practice.tokens(person, datetime.now(UTC))
    boss = with_token(signed_in(practice).access)
    left = http.post(f"{V1}/staff/{person.staff_id}/deactivate", json={"left_on": "2026-03-20"}, headers=boss)
    assert left.status_code == 200
    assert left.json()["active"] is False
    assert refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401


def test_a_suspended_practice_lets_nobody_in_until_it_is_reopened(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = signed_in(practice)
    platform = make_platform_admin(server.installation)
    boss = with_token(sign_in(server.installation, platform.account_id, platform.staff_id, datetime.now(UTC)).access)
    path = f"{V1}/practices/{practice.id}"
    for status, expected in (("SUSPENDED", 403), ("ACTIVE", 200)):
        etag = http.get(path, headers=boss).headers["ETag"]
        changed = http.patch(path, json={"status": status}, headers=boss | {"If-Match": etag})
        assert changed.json()["status"] == status
        assert refused_everywhere(http, tokens.access, expected)
    etag = http.get(path, headers=boss).headers["ETag"]
    http.patch(path, json={"status": "SUSPENDED"}, headers=boss | {"If-Match": etag})
    assert code_of(me(http, tokens.access)) == "PRACTICE_CLOSED"
    assert refresh(http, tokens.refresh).status_code == 401


def test_a_disabled_account_is_out_at_once(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    tokens = signed_in(practice)
    with server.superuser() as db:
        db.execute("update accounts set disabled_at = now() where id = %s", (practice.admin.account_id,))
    assert refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401


def test_an_access_token_lasts_fifteen_minutes(http: httpx2.Client, practice: PracticeFixture) -> None:
    made = datetime.now(UTC) - timedelta(minutes=14, seconds=50)
    tokens = practice.tokens(now=made)
    assert me(http, tokens.access).status_code == 200
    assert me(http, practice.tokens(now=made - timedelta(seconds=20)).access).status_code == 401
