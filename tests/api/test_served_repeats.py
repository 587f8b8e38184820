"""Requests that are repeated, and changes that meet: one effect, over several workers."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, code_of, with_token
from tests.support.drivers.server import Server, at_once

TIMES = 20


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.practice()


def signed_in(practice: PracticeFixture, person: Any = None) -> dict[str, str]:
    return with_token(practice.token(person, datetime.now(UTC)))


def newcomer() -> dict[str, Any]:
    names = {"first_name": "New", "last_name": "Comer", "roles": ["clinician"], "hired_on": "2026-03-01"}
    return names | {"email": f"new-{new_id()}@example.com"}


def add(http: httpx2.Client, headers: dict[str, str], key: str, body: dict[str, Any]) -> httpx2.Response:
    return http.post(f"{V1}/staff", json=body, headers=headers | {"Idempotency-Key": key})


def count_staff(http: httpx2.Client, headers: dict[str, str]) -> int:
    return http.get(f"{V1}/staff", params={"count": True}, headers=headers).json()["total"]


def test_a_request_sent_twenty_times_with_one_key_has_one_effect(
    http: httpx2.Client, practice: PracticeFixture
) -> None:
    headers, key, body = signed_in(practice), str(new_id()), newcomer()
    answers = at_once(lambda _: add(http, headers, key, body), range(TIMES))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1  # the invitation's secret among the rest
    assert Counter(answer.headers.get("Idempotency-Replayed") for answer in answers) == {None: 1, "true": TIMES - 1}
    assert count_staff(http, headers) == 2
    found = http.get(f"{V1}/audit", params={"action": "staff.added"}, headers=headers).json()["items"]
    assert len(found) == 2  # the admin, and this one once


def test_without_a_key_each_request_stands_for_itself(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, body = signed_in(practice), newcomer()
    answers = at_once(lambda _: http.post(f"{V1}/staff", json=body, headers=headers), range(TIMES))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TIMES - 1}
    assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"ALREADY_ON_STAFF"}


def test_a_key_is_for_one_request_of_one_person(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key, body = signed_in(practice), str(new_id()), newcomer()
    first = add(http, headers, key, body)
    other = add(http, headers, key, body | {"last_name": "Else"})
    assert (other.status_code, code_of(other)) == (409, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = http.post(
        f"{V1}/staff/{first.json()['staff']['id']}/invite", headers=headers | {"Idempotency-Key": key}
    )
    assert code_of(elsewhere) == "IDEMPOTENCY_KEY_REUSED"
    second_admin = signed_in(practice, practice.add("admin"))
    assert add(http, second_admin, key, newcomer()).status_code == 201
    assert add(http, headers, key, body).content == first.content


def test_a_key_serves_in_each_practice_by_itself(
    server: Server, http: httpx2.Client, practice: PracticeFixture
) -> None:
    other, key = server.practice(), str(new_id())
    shared = other.add("admin", email=practice.admin.email)
    assert shared.account_id == practice.admin.account_id
    first = add(http, signed_in(practice), key, newcomer())
    second = add(http, signed_in(other, shared), key, newcomer())
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers.get("Idempotency-Replayed") is None


def test_a_replayed_answer_is_the_same_answer(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    headers = signed_in(practice) | {"Idempotency-Key": str(new_id())}
    path = f"{V1}/staff/{person.staff_id}/deactivate"
    first, again = [http.post(path, json={"left_on": "2026-03-20"}, headers=headers) for _ in range(2)]
    assert again.headers["Idempotency-Replayed"] == "true"
    for name in ("ETag", "Cache-Control", "Content-Type"):
        assert again.headers[name] == first.headers[name], name
    assert again.content == first.content


def test_after_a_day_a_key_is_new(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key, body = signed_in(practice), str(new_id()), newcomer()
    add(http, headers, key, body)

    def a_while_ago(interval: str) -> None:
        with server.superuser() as db:
            db.execute("update stored_answers set created_at = now() - %s::interval", (interval,))

    a_while_ago("23 hours 59 minutes")
    assert add(http, headers, key, body).headers["Idempotency-Replayed"] == "true"
    a_while_ago("24 hours")
    assert code_of(add(http, headers, key, body)) == "ALREADY_ON_STAFF"
    assert add(http, headers, key, newcomer()).status_code == 201


def test_a_refusal_is_not_kept(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key = signed_in(practice), str(new_id())
    body = newcomer() | {"supervisor_id": str(new_id())}
    assert add(http, headers, key, body).status_code == 422
    assert add(http, headers, key, newcomer()).status_code == 201
    lower = signed_in(practice, practice.add("biller"))
    assert add(http, lower, "same-key-again", newcomer()).status_code == 403
    assert add(http, lower, "same-key-again", newcomer()).status_code == 403


def test_what_is_kept_of_an_answer_is_sealed(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    body = newcomer()
    link = add(http, signed_in(practice), str(new_id()), body).json()["link"]
    with server.superuser() as db:
        query = "select answer from stored_answers where tenant_id = %s"
        kept = b"".join(row[0] for row in db.execute(query, (practice.id,)))
    assert kept
    assert link.partition("#")[2].encode() not in kept
    assert body["email"].encode() not in kept


@pytest.mark.parametrize("key", ["short", "k" * 101])
def test_a_key_has_a_reasonable_length(http: httpx2.Client, practice: PracticeFixture, key: str) -> None:
    assert add(http, signed_in(practice), key, newcomer()).status_code == 422


def test_of_twenty_changes_to_one_version_one_is_made(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers = signed_in(practice)
    path = f"{V1}/staff/{practice.admin.staff_id}"
    etag = http.get(path, headers=headers).headers["ETag"]

    def change(number: int) -> httpx2.Response:
        return http.patch(path, json={"first_name": f"Ada {number}"}, headers=headers | {"If-Match": etag})

    answers = at_once(change, range(TIMES))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: TIMES - 1}
    made = next(answer for answer in answers if answer.status_code == 200)
    read = http.get(path, headers=headers)
    assert (read.json(), read.headers["ETag"]) == (made.json(), made.headers["ETag"])
    assert made.headers["ETag"] != etag


@pytest.mark.parametrize(
    ("if_match", "status"),
    [(None, 428), ('"0"', 412), ('"99"', 412), ("*", 412), ("", 412), ("one", 412), ('"' + "9" * 5000 + '"', 412)],
)
def test_a_change_says_which_version_it_is_of(
    http: httpx2.Client, practice: PracticeFixture, if_match: str | None, status: int
) -> None:
    headers = signed_in(practice) | ({} if if_match is None else {"If-Match": if_match})
    answer = http.patch(f"{V1}/staff/{practice.admin.staff_id}", json={"first_name": "Eve"}, headers=headers)
    assert answer.status_code == status
    assert code_of(answer) == {428: "PRECONDITION_REQUIRED", 412: "STALE"}[status]
