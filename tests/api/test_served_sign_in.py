"""Guessing at the front door, fifty at a time, over several worker processes."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pyotp
from sqlalchemy import text

from practice.security.one_time_tokens import issue_token
from practice.security.sign_in import attempt_key
from practice.store.ids import new_id
from tests.support.builders.people import PASSWORD, give_credentials
from tests.support.drivers.http import V1, code_of, comparable
from tests.support.drivers.server import Server, at_once

GUESSES = 50
WRONG = "Teal-Walrus 42 hums softly"


def login(http: httpx2.Client, email: str, password: str) -> httpx2.Response:
    return http.post(f"{V1}/auth/login", json={"email": email, "password": password})


def later(server: Server, kind: str, subject: str, wait: timedelta) -> None:
    """Let time pass for what was counted against somebody."""
    key = attempt_key(server.installation, kind, subject)
    with server.superuser() as db:
        moved = db.execute("update sign_in_attempts set last_at = last_at - %s where key = %s", (wait, key))
        assert moved.rowcount == 1


def test_parallel_requests_reach_two_workers(server: Server, http: httpx2.Client) -> None:
    """Or nothing here would show what happens between processes."""
    before = server.connections()
    assert len(before) == 2
    at_once(lambda _: http.get("/health/ready"), range(GUESSES))
    assert all(now >= then + 3 for then, now in zip(before, server.connections(), strict=True))


def test_of_fifty_parallel_guesses_at_a_password_five_are_looked_at(server: Server, http: httpx2.Client) -> None:
    practice = server.practice()
    give_credentials(server.installation, practice.admin.account_id)
    email = practice.admin.email
    answers = at_once(lambda _: login(http, email, WRONG), range(GUESSES))
    codes = Counter((answer.status_code, code_of(answer)) for answer in answers)
    assert codes == {(401, "WRONG_CREDENTIALS"): 5, (429, "SIGN_IN_LOCKED"): GUESSES - 5}
    locked = login(http, email, PASSWORD)
    assert locked.status_code == 429
    assert int(locked.headers["Retry-After"]) == 900

    nobody = f"nobody-{new_id()}@example.com"
    unknown = at_once(lambda _: login(http, nobody, WRONG), range(GUESSES))
    assert sorted(map(repr, map(comparable, unknown))) == sorted(map(repr, map(comparable, answers)))

    assert naive_lockout(server) > 5  # the same guesses, checked and then counted

    later(server, "password", email, timedelta(minutes=14, seconds=30))
    assert login(http, email, PASSWORD).status_code == 429
    later(server, "password", email, timedelta(seconds=31))
    assert login(http, email, PASSWORD).json()["next"] == "code"
    assert login(http, email, WRONG).status_code == 401  # counted afresh


def naive_lockout(server: Server) -> int:
    """How many guesses get through where the count is read first and written after the slow look at the password."""
    key = str(new_id()).encode()
    alone = server.installation.store.engine.execution_options(isolation_level="AUTOCOMMIT")

    def guess(_: int) -> bool:
        with alone.connect() as db:
            failures = db.scalar(text("select failures from sign_in_attempts where key = :key"), {"key": key}) or 0
        if failures >= 5:
            return False
        time.sleep(0.2)  # as long as a hash takes
        with alone.connect() as db:
            counted = "insert into sign_in_attempts as a values (:key, 1, now()) on conflict (key) do update"
            db.execute(text(f"{counted} set failures = a.failures + 1, last_at = now()"), {"key": key})
        return True

    return sum(at_once(guess, range(GUESSES)))


def challenges(server: Server, account_id: UUID, count: int) -> list[str]:
    """Tokens of sign-ins that have passed the password."""
    now = datetime.now(UTC)
    with server.installation.store.system_session() as db:
        return [issue_token(db, "code", account_id, None, timedelta(minutes=10), now) for _ in range(count)]


def use(http: httpx2.Client, code: str) -> Callable[[str], Any]:
    return lambda token: http.post(f"{V1}/auth/mfa/verify", json={"token": token, "code": code})


def test_a_code_of_the_authenticator_lets_in_once(server: Server, http: httpx2.Client) -> None:
    for different in (False, True):
        practice = server.practice()
        account_id = practice.admin.account_id
        code = pyotp.TOTP(give_credentials(server.installation, account_id)).now()
        tokens = challenges(server, account_id, GUESSES) if different else challenges(server, account_id, 1) * GUESSES
        answers = at_once(use(http, code), tokens)
        codes = Counter(answer.status_code for answer in answers)
        assert codes[200] == 1, codes
        assert set(codes) <= {200, 401, 429}
        with server.superuser() as db:
            sessions = "select count(*) from account_sessions where account_id = %s"
            assert db.execute(sessions, (account_id,)).fetchone() == (1,)


def test_of_fifty_parallel_guesses_at_a_code_five_are_looked_at(server: Server, http: httpx2.Client) -> None:
    practice = server.practice()
    account_id = practice.admin.account_id
    totp = pyotp.TOTP(give_credentials(server.installation, account_id))
    near = {totp.at(datetime.now(UTC) + timedelta(seconds=30 * steps)) for steps in range(-3, 4)}
    wrong = next(code for code in ("000000", "111111", "222222", "333333") if code not in near)
    answers = at_once(use(http, wrong), challenges(server, account_id, GUESSES))
    codes = Counter((answer.status_code, code_of(answer)) for answer in answers)
    assert codes == {(401, "WRONG_CREDENTIALS"): 5, (429, "SIGN_IN_LOCKED"): GUESSES - 5}
    (token,) = challenges(server, account_id, 1)
    assert use(http, totp.now())(token).status_code == 429
    later(server, "code", str(account_id), timedelta(minutes=15))
    assert use(http, totp.now())(token).json()["next"] == "done"
