"""Rate limits hold over all workers together."""

import time
from collections import Counter
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pyotp
import pytest

from tests.support.builders.people import PASSWORD, PracticeFixture, give_credentials
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.server import Server, at_once, serving

USER, PRACTICE, SIGN_IN = 100, 130, 20


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    folder: Path = tmp_path_factory.mktemp("limited")
    limits = {"requests_per_minute": USER, "practice_requests_per_minute": PRACTICE, "sign_ins_per_minute": SIGN_IN}
    with serving(folder, **limits) as server:
        yield server


@pytest.fixture
def http(limited: Server) -> Generator[httpx2.Client]:
    with limited.superuser() as db:  # all tests come from one address
        db.execute("delete from rate_counters where key like 'address:%'")
    with limited.client() as client:
        yield client


@pytest.fixture
def practice(limited: Server) -> PracticeFixture:
    return limited.practice()


def early_in_a_minute() -> None:
    """Counts begin anew with each minute, and what is counted together has to fall into one."""
    if datetime.now(UTC).second > 52:
        time.sleep(61 - datetime.now(UTC).second)


def ask(http: httpx2.Client, token: str) -> httpx2.Response:
    return http.get(f"{V1}/auth/me", headers=with_token(token))


def test_a_person_gets_so_many_requests_a_minute_and_a_practice_so_many(
    http: httpx2.Client, practice: PracticeFixture
) -> None:
    biller, scheduler = practice.add("biller"), practice.add("scheduler")
    tokens = [practice.token(), practice.token(biller), practice.token(scheduler)]
    early_in_a_minute()
    answers = at_once(lambda _: ask(http, tokens[0]), range(150))
    assert Counter(answer.status_code for answer in answers) == {200: USER, 429: 50}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert code_of(refused) == "RATE_LIMITED"
    assert 1 <= int(refused.headers["Retry-After"]) <= 60

    # what went beyond a person's own limit does not count against their colleagues
    others = at_once(lambda token: ask(http, token), tokens[1:] * 30)
    assert Counter(answer.status_code for answer in others) == {200: PRACTICE - USER, 429: 60 - (PRACTICE - USER)}


def test_a_new_session_is_no_way_around_the_limit(
    limited: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    early_in_a_minute()
    now = datetime.now(UTC)
    sessions = [practice.token(now=now) for _ in range(3)]
    answers = at_once(lambda token: ask(http, token), sessions * 50)
    assert Counter(answer.status_code for answer in answers)[200] <= USER


def test_a_limited_person_still_refreshes_and_no_token_is_lost(http: httpx2.Client, practice: PracticeFixture) -> None:
    """A refresh spends its token: to refuse it for being one too many would end the session."""
    tokens = practice.tokens(now=datetime.now(UTC))
    early_in_a_minute()
    at_once(lambda _: ask(http, tokens.access), range(USER + 10))
    assert ask(http, tokens.access).status_code == 429
    refreshed = http.post(f"{V1}/auth/refresh", json={"refresh_token": tokens.refresh})
    assert refreshed.status_code == 200
    assert ask(http, refreshed.json()["access_token"]).status_code == 429  # it is no way around the limit


def test_a_busy_practice_does_not_keep_its_people_from_signing_in(
    limited: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    """To tell somebody that their practice is closed when it is only busy would be wrong besides."""
    secret = give_credentials(limited.installation, practice.admin.account_id)
    token = http.post(f"{V1}/auth/login", json={"email": practice.admin.email, "password": PASSWORD}).json()["token"]
    early_in_a_minute()
    with limited.superuser() as db:
        db.execute(
            "insert into rate_counters (key, minute, requests) values (%s, date_trunc('minute', now()), %s)"
            " on conflict (key) do update set minute = excluded.minute, requests = excluded.requests",
            (f"practice:{practice.id}", PRACTICE + 1),
        )
    step = http.post(f"{V1}/auth/mfa/verify", json={"token": token, "code": pyotp.TOTP(secret).now()})
    assert (step.status_code, step.json()["next"]) == (200, "done")


def test_an_address_gets_so_many_sign_ins_a_minute(http: httpx2.Client) -> None:
    early_in_a_minute()
    body = {"token": "A" * 43}
    answers = at_once(lambda _: http.post(f"{V1}/auth/mfa/enrol", json=body), range(60))
    assert Counter(answer.status_code for answer in answers) == {401: SIGN_IN, 429: 60 - SIGN_IN}
    assert http.get("/health/live").status_code == 200  # not counted
    # nor is a refresh: its secret is beyond guessing, and a practice behind one address refreshes all day
    unknown = http.post(f"{V1}/auth/refresh", json={"refresh_token": "A" * 43})
    assert unknown.status_code == 401
