"""Passwords over HTTP: changing, resetting by letter, rotation, and which are refused."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from practice.people.settings import set_rule
from practice.security.installation import Installation
from practice.security.models import Account
from practice.store.ids import new_id
from tests.support.builders.people import NOW, PASSWORD, Person, PracticeFixture, give_credentials, make_practice
from tests.support.drivers.http import V1, bearer, code_of, comparable, with_token
from tests.support.drivers.sign_in_flow import code, enter, letters_to, login, move, ok, post, secret_in

OTHER = "Amber-Heron 58 sails north"
STEP = timedelta(seconds=30)


@pytest.fixture
def somebody(practice: PracticeFixture) -> Person:
    return practice.add("biller")


def change(client: TestClient, headers: dict[str, str], current: str, new: str) -> Any:
    return client.post(f"{V1}/auth/password", json={"current": current, "new": new}, headers=headers)


def alive(client: TestClient, token: str) -> bool:
    return client.get(f"{V1}/auth/me", headers=with_token(token)).status_code == 200


def test_a_changed_password_ends_every_other_session(
    client: TestClient, installation: Installation, practice: PracticeFixture, somebody: Person
) -> None:
    give_credentials(installation, somebody.account_id)
    elsewhere = make_practice(installation)
    there = elsewhere.add("clinician", email=somebody.email)
    here, other, far = practice.tokens(somebody), practice.tokens(somebody), elsewhere.tokens(there)
    half_open = login(client, somebody.email)["token"]
    assert change(client, with_token(here.access), PASSWORD, OTHER).json() == {"done": True}
    assert [alive(client, t.access) for t in (here, other, far)] == [True, False, False]
    assert ok(post(client, "/refresh", refresh_token=here.refresh))
    assert post(client, "/refresh", refresh_token=other.refresh).status_code == 401
    assert code_of(post(client, "/mfa/verify", token=half_open, code="123456")) == "LINK_NOT_VALID"
    assert post(client, "/login", email=somebody.email, password=PASSWORD).status_code == 401
    assert login(client, somebody.email, OTHER)["next"] == "code"


def test_changing_it_takes_the_present_one_and_guessing_that_is_counted(
    client: TestClient, installation: Installation, practice: PracticeFixture, somebody: Person
) -> None:
    give_credentials(installation, somebody.account_id)
    headers = bearer(practice, somebody)
    same = change(client, headers, PASSWORD, PASSWORD)
    assert (same.status_code, code_of(same)) == (422, "PASSWORD_REFUSED")
    for _ in range(5):
        assert code_of(change(client, headers, "Wrong-Password 11 here", OTHER)) == "WRONG_CREDENTIALS"
    locked = change(client, headers, PASSWORD, OTHER)
    assert (locked.status_code, code_of(locked)) == (429, "SIGN_IN_LOCKED")
    assert code_of(post(client, "/login", email=somebody.email, password=PASSWORD)) == "SIGN_IN_LOCKED"


@pytest.mark.parametrize(
    ("weak", "about"),
    [
        ("Sh0rt-one", "12 characters"),
        ("all lower 41 case", "upper-case"),
        ("ALL UPPER 41 CASE", "lower-case"),
        ("No-Digits in here at all", "digit"),
        ("NoSigns41InHereAtAll", "sign"),
        ("Password-1234", "easy to guess"),
    ],
)
def test_a_weak_password_is_refused_with_everything_that_is_wrong(
    client: TestClient, installation: Installation, practice: PracticeFixture, somebody: Person, weak: str, about: str
) -> None:
    token = reset_token(client, installation, somebody.email)
    answer = post(client, "/password/reset", token=token, password=weak)
    assert (answer.status_code, code_of(answer)) == (422, "PASSWORD_REFUSED")
    problems = answer.json()["error"]["details"]["problems"]
    assert any(about in problem for problem in problems)
    assert weak not in answer.text
    ok(post(client, "/password/reset", token=token, password=OTHER))  # the link was not spent on that


def test_all_that_is_wrong_is_said_at_once_and_the_own_address_is_no_password(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    somebody = practice.add("clinician", email=f"marigold.{new_id().hex[:8]}@example.com")
    token = reset_token(client, installation, somebody.email)
    poor = post(client, "/password/reset", token=token, password="abc").json()["error"]["details"]["problems"]
    assert len(poor) >= 5
    own = somebody.email.partition("@")[0].title() + " 1A-"
    answer = post(client, "/password/reset", token=token, password=own)
    assert "Leave out your e-mail address." in answer.json()["error"]["details"]["problems"]


def reset_token(client: TestClient, installation: Installation, email: str) -> str:
    assert post(client, "/password/reset-request", email=email).status_code == 202
    return secret_in(letters_to(installation, email)[-1]["text"])


def test_a_password_is_reset_by_the_letter_once_within_an_hour(
    client: TestClient, installation: Installation, practice: PracticeFixture, somebody: Person
) -> None:
    secret = give_credentials(installation, somebody.account_id)
    tokens = practice.tokens(somebody)
    half_open = login(client, somebody.email)["token"]
    first, second = reset_token(client, installation, somebody.email), reset_token(client, installation, somebody.email)
    for _ in range(6):
        post(client, "/login", email=somebody.email, password="Wrong-Password 11 here")
    ok(post(client, "/password/reset", token=second, password=OTHER))
    assert not alive(client, tokens.access)
    for spent in (second, first):  # the older link is in the same mailbox
        assert code_of(post(client, "/password/reset", token=spent, password=PASSWORD)) == "LINK_NOT_VALID"
    assert code_of(post(client, "/mfa/verify", token=half_open, code=code(secret, NOW))) == "LINK_NOT_VALID"
    assert post(client, "/login", email=somebody.email, password=PASSWORD).status_code == 401
    assert enter(client, somebody.email, secret, NOW, OTHER)["next"] == "done"  # unlocked; the second factor stays
    third = reset_token(client, installation, somebody.email)
    move(client, timedelta(hours=1))
    assert code_of(post(client, "/password/reset", token=third, password=PASSWORD)) == "LINK_NOT_VALID"


def test_asking_for_a_reset_tells_nothing(client: TestClient, installation: Installation, somebody: Person) -> None:
    unknown = f"unknown-{new_id()}@example.com"
    answers = [post(client, "/password/reset-request", email=email) for email in (somebody.email, unknown)]
    assert [(a.status_code, a.json()) for a in answers] == [(202, {"done": True})] * 2
    differing = {"x-request-id"}
    assert {k: v for k, v in answers[0].headers.items() if k not in differing} == {
        k: v for k, v in answers[1].headers.items() if k not in differing
    }
    assert letters_to(installation, unknown) == []
    with installation.store.system_session() as db:
        db.execute(update(Account).where(Account.email == somebody.email).values(disabled_at=NOW))
    before = len(letters_to(installation, somebody.email))
    assert post(client, "/password/reset-request", email=somebody.email).status_code == 202
    assert len(letters_to(installation, somebody.email)) == before


def test_a_password_that_is_too_old_has_to_change_before_anything_else(
    client: TestClient, installation: Installation, practice: PracticeFixture, somebody: Person
) -> None:
    secret = give_credentials(installation, somebody.account_id)
    with practice.work() as work:
        set_rule(work, "password_max_age_days", 90, NOW.date())
    now = move(client, timedelta(days=90) - STEP)
    assert enter(client, somebody.email, secret, now)["next"] == "done"
    now = move(client, timedelta(days=90) + STEP)
    step = enter(client, somebody.email, secret, now)
    assert (step["next"], step["tokens"]) == ("new_password", None)
    same = post(client, "/password/reset", token=step["token"], password=PASSWORD)
    assert (same.status_code, code_of(same)) == (422, "PASSWORD_REFUSED")
    ok(post(client, "/password/reset", token=step["token"], password=OTHER))
    now = move(client, timedelta(days=90) + 3 * STEP)
    assert enter(client, somebody.email, secret, now, OTHER)["next"] in ("done", "practice")


def test_the_answers_at_the_door_are_alike_for_known_and_unknown(client: TestClient, practice: PracticeFixture) -> None:
    never_accepted = practice.add("scheduler")
    answers = [
        post(client, "/login", email=email, password="Wrong-Password 11 here")
        for email in (never_accepted.email, f"unknown-{new_id()}@example.com")
    ]
    assert comparable(answers[0]) == comparable(answers[1])
