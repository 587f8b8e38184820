"""Lifetime and end of sessions, on every worker."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx2
import pytest

from practice.security.sign_in import Tokens
from tests.support.builders.people import PracticeFixture, make_platform_admin, sign_in
from tests.support.drivers.http import V1, error_code, token_headers
from tests.support.drivers.server import Server, run_in_parallel


def get_me(http: httpx2.Client, token: str, **headers: str) -> httpx2.Response:
    return http.get(f"{V1}/auth/me", headers=token_headers(token, **headers))


def refresh(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.post(f"{V1}/auth/refresh", json={"refresh_token": token})


def is_refused_everywhere(http: httpx2.Client, token: str, status: int = 401) -> bool:
    return {answer.status_code for answer in run_in_parallel(lambda _: get_me(http, token), range(12))} == {status}


def age_session(server: Server, session_id: UUID, *, started: float = 0, seen: float = 0) -> None:
    """Set how many seconds ago the session started and was last active."""
    with server.connect_as_superuser() as db:
        db.execute(
            "update account_sessions set started_at = now() - make_interval(secs => %s),"
            " last_seen_at = now() - make_interval(secs => %s) where id = %s",
            (started, seen, session_id),
        )


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.create_practice()


def sign_in_admin(practice: PracticeFixture) -> Tokens:
    return practice.tokens(now=datetime.now(UTC))


def test_a_refresh_token_used_twice_ends_the_session(http: httpx2.Client, practice: PracticeFixture) -> None:
    first = sign_in_admin(practice)
    second = refresh(http, first.refresh).json()
    third = refresh(http, second["refresh_token"]).json()
    assert get_me(http, third["access_token"]).status_code == 200
    assert get_me(http, first.access).status_code == 200  # the same session, not yet expired
    reused = refresh(http, first.refresh)
    assert (reused.status_code, error_code(reused)) == (401, "UNAUTHORIZED")
    assert refresh(http, third["refresh_token"]).status_code == 401
    for token in (first.access, second["access_token"], third["access_token"]):
        assert is_refused_everywhere(http, token)


def test_concurrent_refreshes_with_one_token_end_the_session(http: httpx2.Client, practice: PracticeFixture) -> None:
    for _ in range(5):
        tokens = sign_in_admin(practice)
        answers = run_in_parallel(lambda token: refresh(http, token), [tokens.refresh] * 2)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[200] <= 1
        assert set(statuses) <= {200, 401}
        for answer in answers:
            if answer.status_code == 200:
                assert refresh(http, answer.json()["refresh_token"]).status_code == 401
                assert get_me(http, answer.json()["access_token"]).status_code == 401
        assert get_me(http, tokens.access).status_code == 401


def test_an_expired_or_invalid_refresh_token_is_refused(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = sign_in_admin(practice)
    with server.connect_as_superuser() as db:
        db.execute("update refresh_tokens set expires_at = now() where session_id = %s", (tokens.session_id,))
    assert refresh(http, tokens.refresh).status_code == 401
    assert refresh(http, tokens.access[:43]).status_code == 401
    assert refresh(http, "A" * 43).status_code == 401


def test_fifteen_idle_minutes_end_a_session(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    for _ in range(5):
        tokens = sign_in_admin(practice)
        began = time.monotonic()
        age_session(server, tokens.session_id, started=3600, seen=14 * 60 + 59)
        answer = get_me(http, tokens.access)
        if time.monotonic() - began < 1:  # otherwise the 15 minutes were over before the response
            break
    assert answer.status_code == 200
    age_session(server, tokens.session_id, started=3600, seen=14 * 60)
    assert get_me(http, tokens.access).status_code == 200  # the previous request was activity
    age_session(server, tokens.session_id, started=3600, seen=15 * 60 + 1)
    assert is_refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401
    age_session(server, tokens.session_id, started=60, seen=0)
    assert get_me(http, tokens.access).status_code == 401  # an ended session stays ended


def test_twelve_hours_end_an_active_session(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    tokens = sign_in_admin(practice)
    age_session(server, tokens.session_id, started=12 * 3600 - 5)
    assert get_me(http, tokens.access).status_code == 200
    age_session(server, tokens.session_id, started=12 * 3600 + 1)
    assert is_refused_everywhere(http, tokens.access)


def test_background_requests_are_not_activity(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    tokens = sign_in_admin(practice)

    def count_idle_seconds() -> float:
        with server.connect_as_superuser() as db:
            query = "select extract(epoch from now() - last_seen_at)::float from account_sessions where id = %s"
            (seconds,) = db.execute(query, (tokens.session_id,)).fetchone() or (0,)
            return seconds

    age_session(server, tokens.session_id, started=3600, seen=600)
    assert get_me(http, tokens.access, X_Background="1").status_code == 200
    assert refresh(http, tokens.refresh).status_code == 200
    assert count_idle_seconds() >= 600
    assert get_me(http, tokens.access).status_code == 200
    assert count_idle_seconds() < 60


def test_logging_out_ends_this_session_immediately(http: httpx2.Client, practice: PracticeFixture) -> None:
    tokens, other = sign_in_admin(practice), sign_in_admin(practice)
    assert http.post(f"{V1}/auth/logout", headers=token_headers(tokens.access)).status_code == 204
    assert is_refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401
    assert get_me(http, other.access).status_code == 200
    ended = http.delete(f"{V1}/auth/sessions/{other.session_id}", headers=token_headers(sign_in_admin(practice).access))
    assert ended.status_code == 204
    assert is_refused_everywhere(http, other.access)


def test_a_session_of_another_person_cannot_be_ended(http: httpx2.Client, practice: PracticeFixture) -> None:
    biller = practice.add("biller")
    tokens = practice.tokens(biller, now=datetime.now(UTC))
    refused = http.delete(
        f"{V1}/auth/sessions/{tokens.session_id}", headers=token_headers(sign_in_admin(practice).access)
    )
    assert refused.status_code == 404
    assert get_me(http, tokens.access).status_code == 200


def test_a_change_of_roles_applies_to_the_next_request(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    token = practice.token(person, datetime.now(UTC))
    admin_headers = token_headers(sign_in_admin(practice).access)
    path = f"{V1}/staff/{person.staff_id}"

    def audit(_: int) -> int:
        return http.get(f"{V1}/audit", headers=token_headers(token)).status_code

    assert set(run_in_parallel(audit, range(12))) == {403}
    for roles, expected in ((["admin"], 200), (["clinician"], 403)):
        etag = http.get(path, headers=admin_headers).headers["ETag"]
        assert http.patch(path, json={"roles": roles}, headers=admin_headers | {"If-Match": etag}).status_code == 200
        assert set(run_in_parallel(audit, range(12))) == {expected}


def test_deactivated_staff_lose_access_immediately(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    tokens = practice.tokens(person, datetime.now(UTC))
    admin_headers = token_headers(sign_in_admin(practice).access)
    deactivated = http.post(
        f"{V1}/staff/{person.staff_id}/deactivate", json={"left_on": "2026-03-20"}, headers=admin_headers
    )
    assert deactivated.status_code == 200
    assert deactivated.json()["active"] is False
    assert is_refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401


def test_a_suspended_practice_blocks_access_until_it_is_reactivated(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = sign_in_admin(practice)
    platform = make_platform_admin(server.installation)
    admin_headers = token_headers(
        sign_in(server.installation, platform.account_id, platform.staff_id, datetime.now(UTC)).access
    )
    path = f"{V1}/practices/{practice.id}"
    for status, expected in (("SUSPENDED", 403), ("ACTIVE", 200)):
        etag = http.get(path, headers=admin_headers).headers["ETag"]
        changed = http.patch(path, json={"status": status}, headers=admin_headers | {"If-Match": etag})
        assert changed.json()["status"] == status
        assert is_refused_everywhere(http, tokens.access, expected)
    etag = http.get(path, headers=admin_headers).headers["ETag"]
    http.patch(path, json={"status": "SUSPENDED"}, headers=admin_headers | {"If-Match": etag})
    assert error_code(get_me(http, tokens.access)) == "PRACTICE_CLOSED"
    assert refresh(http, tokens.refresh).status_code == 401


def test_a_disabled_account_loses_access_immediately(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    tokens = sign_in_admin(practice)
    with server.connect_as_superuser() as db:
        db.execute("update accounts set disabled_at = now() where id = %s", (practice.admin.account_id,))
    assert is_refused_everywhere(http, tokens.access)
    assert refresh(http, tokens.refresh).status_code == 401


def test_an_access_token_lasts_fifteen_minutes(http: httpx2.Client, practice: PracticeFixture) -> None:
    issued_at = datetime.now(UTC) - timedelta(minutes=14, seconds=50)
    tokens = practice.tokens(now=issued_at)
    assert get_me(http, tokens.access).status_code == 200
    assert get_me(http, practice.tokens(now=issued_at - timedelta(seconds=20)).access).status_code == 401
