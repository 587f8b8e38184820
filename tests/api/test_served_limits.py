"""Rate limits are shared by all workers."""

import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pyotp
import pytest

from tests.support.builders.people import PASSWORD, PracticeFixture, give_credentials
from tests.support.drivers.http import V1, error_code, token_headers
from tests.support.drivers.server import Server, run_in_parallel, run_server

USER, PRACTICE, SIGN_IN = 100, 130, 20


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    folder: Path = tmp_path_factory.mktemp("limited")
    limits = {"requests_per_minute": USER, "practice_requests_per_minute": PRACTICE, "sign_ins_per_minute": SIGN_IN}
    with run_server(folder, **limits) as server:
        yield server


@pytest.fixture
def http(limited_server: Server) -> Generator[httpx2.Client]:
    with limited_server.connect_as_superuser() as db:  # all tests use one IP address
        db.execute("delete from rate_counters where key like 'address:%'")
    with limited_server.open_client() as client:
        yield client


@pytest.fixture
def practice(limited_server: Server) -> PracticeFixture:
    return limited_server.create_practice()


def wait_for_early_minute() -> None:
    """Wait until enough of the minute is left, because counts reset with each minute."""
    if datetime.now(UTC).second > 52:
        time.sleep(61 - datetime.now(UTC).second)


def get_me(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.get(f"{V1}/auth/me", headers=token_headers(token))


def test_requests_are_limited_per_person_and_per_practice(http: httpx2.Client, practice: PracticeFixture) -> None:
    biller, scheduler = practice.add("biller"), practice.add("scheduler")
    tokens = [practice.token(), practice.token(biller), practice.token(scheduler)]
    wait_for_early_minute()
    answers = run_in_parallel(lambda _: get_me(http, tokens[0]), range(150))
    assert Counter(answer.status_code for answer in answers) == {200: USER, 429: 50}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert error_code(refused) == "RATE_LIMITED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60

    # requests above a person's own limit do not count against the practice
    others = run_in_parallel(lambda token: get_me(http, token), tokens[1:] * 30)
    assert Counter(answer.status_code for answer in others) == {200: PRACTICE - USER, 429: 60 - (PRACTICE - USER)}


def test_a_new_session_does_not_reset_the_limit(
    limited_server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    wait_for_early_minute()
    now = datetime.now(UTC)
    sessions = [practice.token(now=now) for _ in range(3)]
    answers = run_in_parallel(lambda token: get_me(http, token), sessions * 50)
    assert Counter(answer.status_code for answer in answers)[200] <= USER


def test_a_limited_person_can_still_refresh(http: httpx2.Client, practice: PracticeFixture) -> None:
    """A refresh consumes its token, so refusing it by the limit would end the session."""
    tokens = practice.tokens(now=datetime.now(UTC))
    wait_for_early_minute()
    run_in_parallel(lambda _: get_me(http, tokens.access), range(USER + 10))
    assert get_me(http, tokens.access).status_code == 429
    refreshed = http.post(f"{V1}/auth/refresh", json={"refresh_token": tokens.refresh})
    assert refreshed.status_code == 200
    assert get_me(http, refreshed.json()["access_token"]).status_code == 429  # a refresh does not reset the limit


def test_a_limited_practice_does_not_prevent_sign_ins(
    limited_server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    """A practice over its limit must not look like a closed one at sign-in."""
    secret = give_credentials(limited_server.installation, practice.admin.account_id)
    token = http.post(f"{V1}/auth/login", json={"email": practice.admin.email, "password": PASSWORD}).json()["token"]
    wait_for_early_minute()
    with limited_server.connect_as_superuser() as db:
        db.execute(
            "insert into rate_counters (key, minute, requests) values (%s, date_trunc('minute', now()), %s)"
            " on conflict (key) do update set minute = excluded.minute, requests = excluded.requests",
            (f"practice:{practice.id}", PRACTICE + 1),
        )
    step = http.post(f"{V1}/auth/mfa/verify", json={"token": token, "code": pyotp.TOTP(secret).now()})
    assert (step.status_code, step.json()["next"]) == (200, "done")


def test_sign_ins_are_limited_per_ip_address(http: httpx2.Client) -> None:
    wait_for_early_minute()
    body = {"token": "A" * 43}
    answers = run_in_parallel(lambda _: http.post(f"{V1}/auth/mfa/enroll", json=body), range(60))
    assert Counter(answer.status_code for answer in answers) == {401: SIGN_IN, 429: 60 - SIGN_IN}
    assert http.get("/health/live").status_code == 200  # not counted
    # nor is a refresh: its token cannot be guessed, and a practice behind one IP address refreshes all day
    unknown = http.post(f"{V1}/auth/refresh", json={"refresh_token": "A" * 43})
    assert unknown.status_code == 401


def test_an_idle_connection_stays_open_as_long_as_clients_keep_theirs(limited_server: Server) -> None:
    """The library's own 5 seconds are those after which many clients stop reusing one: their requests would be lost."""
    with closing(HTTPConnection(urlsplit(limited_server.url).netloc)) as connection:
        for pause in (0.0, 6.0):
            time.sleep(pause)
            connection.request("GET", "/health/live")
            assert connection.getresponse().read() == b'{"status":"alive"}'
