"""Guessing at sign-in, fifty at a time, over several worker processes."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pyotp
from sqlalchemy import text

from practice.security.attempts import compute_attempt_key
from practice.security.one_time_tokens import issue_token
from practice.store.ids import new_id
from tests.support.builders.people import PASSWORD, give_credentials
from tests.support.drivers.http import V1, error_code, to_comparable
from tests.support.drivers.server import Server, run_in_parallel

GUESSES = 50
WRONG = "Teal-Walrus 42 hums softly"


def login(http: httpx2.Client, email: str, password: str) -> httpx2.Response:
    return http.post(f"{V1}/auth/login", json={"email": email, "password": password})


def rewind_attempts(server: Server, kind: str, subject: str, wait: timedelta) -> None:
    """Move the last failed attempt of a person into the past."""
    key = compute_attempt_key(server.installation, kind, subject)
    with server.connect_as_superuser() as db:
        moved = db.execute("update sign_in_attempts set last_at = last_at - %s where key = %s", (wait, key))
        assert moved.rowcount == 1


def test_parallel_requests_reach_two_workers(server: Server) -> None:
    """A precondition of the other tests here, which are about several processes."""
    before = server.count_connections()
    assert len(before) == 2
    reached: set[int] = set()
    for _ in range(10):  # a worker that is quicker may take all connections of a round
        with server.open_client() as http:
            run_in_parallel(lambda _: http.get("/health/ready"), range(GUESSES))
            now = server.count_connections()
        reached |= {worker for worker in range(2) if now[worker] >= before[worker] + 3}
    assert reached == {0, 1}


def test_five_of_fifty_concurrent_password_guesses_are_checked(server: Server, http: httpx2.Client) -> None:
    practice = server.create_practice()
    give_credentials(server.installation, practice.admin.account_id)
    email = practice.admin.email
    answers = run_in_parallel(lambda _: login(http, email, WRONG), range(GUESSES))
    codes = Counter((answer.status_code, error_code(answer)) for answer in answers)
    assert codes[401, "WRONG_CREDENTIALS"] == 5
    # the rest are not checked: sign-in is locked, or the address has its share of the queue
    assert set(codes) == {(401, "WRONG_CREDENTIALS"), (429, "SIGN_IN_LOCKED"), (429, "RATE_LIMITED")}
    assert {answer.headers.get("Retry-After") for answer in answers} == {None, "900", "1"}
    locked = login(http, email, PASSWORD)
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) == 900

    unknown_email = f"nobody-{new_id()}@example.com"
    unknown = run_in_parallel(lambda _: login(http, unknown_email, WRONG), range(GUESSES))
    assert set(map(repr, map(to_comparable, unknown))) == set(map(repr, map(to_comparable, answers)))
    assert Counter(answer.status_code for answer in unknown)[401] == 5

    assert count_naive_guesses(server) > 5  # the same guesses with a count after the check

    rewind_attempts(server, "password", email, timedelta(minutes=14, seconds=30))
    assert login(http, email, PASSWORD).status_code == 429
    rewind_attempts(server, "password", email, timedelta(seconds=31))
    assert login(http, email, PASSWORD).json()["next"] == "code"
    assert login(http, email, WRONG).status_code == 401  # the count has restarted


def count_naive_guesses(server: Server) -> int:
    """Return how many guesses pass if the count is read before and written after the slow password check."""
    key = str(new_id()).encode()
    engine = server.installation.store.engine.execution_options(isolation_level="AUTOCOMMIT")

    def guess(_: int) -> bool:
        with engine.connect() as db:
            failures = db.scalar(text("select failures from sign_in_attempts where key = :key"), {"key": key}) or 0
        if failures >= 5:
            return False
        time.sleep(0.2)  # as long as a hash takes
        with engine.connect() as db:
            statement = "insert into sign_in_attempts as a values (:key, 1, now()) on conflict (key) do update"
            db.execute(text(f"{statement} set failures = a.failures + 1, last_at = now()"), {"key": key})
        return True

    return sum(run_in_parallel(guess, range(GUESSES)))


def issue_challenges(server: Server, account_id: UUID, count: int) -> list[str]:
    """Return tokens of sign-ins that have passed the password step."""
    now = datetime.now(UTC)
    with server.installation.store.begin_system_session() as db:
        return [issue_token(db, "code", account_id, None, timedelta(minutes=10), now) for _ in range(count)]


def submit_code(http: httpx2.Client, code: str) -> Callable[[str], Any]:
    return lambda token: http.post(f"{V1}/auth/mfa/verify", json={"token": token, "code": code})


def test_an_authenticator_code_works_once(server: Server, http: httpx2.Client) -> None:
    for distinct_tokens in (False, True):
        practice = server.create_practice()
        account_id = practice.admin.account_id
        code = pyotp.TOTP(give_credentials(server.installation, account_id)).now()
        tokens = (
            issue_challenges(server, account_id, GUESSES)
            if distinct_tokens
            else issue_challenges(server, account_id, 1) * GUESSES
        )
        answers = run_in_parallel(submit_code(http, code), tokens)
        codes = Counter(answer.status_code for answer in answers)
        assert codes[200] == 1, codes
        assert set(codes) <= {200, 401, 429}
        with server.connect_as_superuser() as db:
            sessions = "select count(*) from account_sessions where account_id = %s"
            assert db.execute(sessions, (account_id,)).fetchone() == (1,)


def test_five_of_fifty_concurrent_code_guesses_are_checked(server: Server, http: httpx2.Client) -> None:
    practice = server.create_practice()
    account_id = practice.admin.account_id
    totp = pyotp.TOTP(give_credentials(server.installation, account_id))
    valid_codes = {totp.at(datetime.now(UTC) + timedelta(seconds=30 * steps)) for steps in range(-3, 4)}
    wrong = next(code for code in ("000000", "111111", "222222", "333333") if code not in valid_codes)
    answers = run_in_parallel(submit_code(http, wrong), issue_challenges(server, account_id, GUESSES))
    codes = Counter((answer.status_code, error_code(answer)) for answer in answers)
    assert codes == {(401, "WRONG_CREDENTIALS"): 5, (429, "SIGN_IN_LOCKED"): GUESSES - 5}
    (token,) = issue_challenges(server, account_id, 1)
    assert submit_code(http, totp.now())(token).status_code == 429
    rewind_attempts(server, "code", str(account_id), timedelta(minutes=15))
    assert submit_code(http, totp.now())(token).json()["next"] == "done"
