"""Repeated requests and concurrent changes over several workers: each takes effect once."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from practice.store.ids import new_id
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import V1, error_code, token_headers
from tests.support.drivers.server import Server, run_in_parallel

TIMES = 20


@pytest.fixture
def practice(server: Server) -> PracticeFixture:
    return server.create_practice()


def admin_headers(practice: PracticeFixture, person: Any = None) -> dict[str, str]:
    return token_headers(practice.token(person, datetime.now(UTC)))


def new_staff_body() -> dict[str, Any]:
    names = {"first_name": "New", "last_name": "Comer", "roles": ["clinician"], "hired_on": "2026-03-01"}
    return names | {"email": f"new-{new_id()}@example.com"}


def post_staff(http: httpx2.Client, headers: dict[str, str], key: str, body: dict[str, Any]) -> httpx2.Response:
    return http.post(f"{V1}/staff", json=body, headers=headers | {"Idempotency-Key": key})


def count_staff(http: httpx2.Client, headers: dict[str, str]) -> int:
    return http.get(f"{V1}/staff", params={"count": True}, headers=headers).json()["total"]


def test_a_request_sent_twenty_times_with_one_key_has_one_effect(
    http: httpx2.Client, practice: PracticeFixture
) -> None:
    headers, key, body = admin_headers(practice), str(new_id()), new_staff_body()
    answers = run_in_parallel(lambda _: post_staff(http, headers, key, body), range(TIMES))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert Counter(answer.headers.get("Idempotency-Replayed") for answer in answers) == {None: 1, "true": TIMES - 1}
    assert count_staff(http, headers) == 2
    entries = http.get(f"{V1}/audit", params={"action": "staff.added"}, headers=headers).json()["items"]
    assert len(entries) == 2  # the admin and the new staff member


def test_without_a_key_requests_are_independent(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, body = admin_headers(practice), new_staff_body()
    answers = run_in_parallel(lambda _: http.post(f"{V1}/staff", json=body, headers=headers), range(TIMES))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: TIMES - 1}
    assert {error_code(answer) for answer in answers if answer.status_code == 409} == {"ALREADY_ON_STAFF"}


def test_a_key_belongs_to_one_request_of_one_person(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key, body = admin_headers(practice), str(new_id()), new_staff_body()
    first = post_staff(http, headers, key, body)
    other = post_staff(http, headers, key, body | {"last_name": "Else"})
    assert (other.status_code, error_code(other)) == (409, "IDEMPOTENCY_KEY_REUSED")
    elsewhere = http.post(
        f"{V1}/staff/{first.json()['staff']['id']}/invite", headers=headers | {"Idempotency-Key": key}
    )
    assert error_code(elsewhere) == "IDEMPOTENCY_KEY_REUSED"
    second_admin = admin_headers(practice, practice.add("admin"))
    assert post_staff(http, second_admin, key, new_staff_body()).status_code == 201
    assert post_staff(http, headers, key, body).content == first.content


def test_keys_are_independent_between_practices(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    other, key = server.create_practice(), str(new_id())
    shared = other.add("admin", email=practice.admin.email)
    assert shared.account_id == practice.admin.account_id
    first = post_staff(http, admin_headers(practice), key, new_staff_body())
    second = post_staff(http, admin_headers(other, shared), key, new_staff_body())
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers.get("Idempotency-Replayed") is None


def test_a_replayed_response_is_identical(http: httpx2.Client, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    headers = admin_headers(practice) | {"Idempotency-Key": str(new_id())}
    path = f"{V1}/staff/{person.staff_id}/deactivate"
    first, repeated = [http.post(path, json={"left_on": "2026-03-20"}, headers=headers) for _ in range(2)]
    assert repeated.headers["Idempotency-Replayed"] == "true"
    for name in ("ETag", "Cache-Control", "Content-Type"):
        assert repeated.headers[name] == first.headers[name], name
    assert repeated.content == first.content


def test_a_key_expires_after_a_day(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key, body = admin_headers(practice), str(new_id()), new_staff_body()
    post_staff(http, headers, key, body)

    def age_stored_answers(interval: str) -> None:
        with server.connect_as_superuser() as db:
            db.execute("update stored_answers set created_at = now() - %s::interval", (interval,))

    age_stored_answers("23 hours 59 minutes")
    assert post_staff(http, headers, key, body).headers["Idempotency-Replayed"] == "true"
    age_stored_answers("24 hours")
    assert error_code(post_staff(http, headers, key, body)) == "ALREADY_ON_STAFF"
    assert post_staff(http, headers, key, new_staff_body()).status_code == 201


def test_a_refusal_is_not_stored(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers, key = admin_headers(practice), str(new_id())
    body = new_staff_body() | {"supervisor_id": str(new_id())}
    assert post_staff(http, headers, key, body).status_code == 422
    assert post_staff(http, headers, key, new_staff_body()).status_code == 201
    biller_headers = admin_headers(practice, practice.add("biller"))
    assert post_staff(http, biller_headers, "same-key-again", new_staff_body()).status_code == 403
    assert post_staff(http, biller_headers, "same-key-again", new_staff_body()).status_code == 403


def test_a_stored_response_is_sealed(server: Server, http: httpx2.Client, practice: PracticeFixture) -> None:
    body = new_staff_body()
    assert post_staff(http, admin_headers(practice), str(new_id()), body).status_code == 201
    with server.connect_as_superuser() as db:
        query = "select answer from stored_answers where tenant_id = %s"
        stored = b"".join(row[0] for row in db.execute(query, (practice.id,)))
    assert stored
    assert body["email"].encode() not in stored


@pytest.mark.parametrize("key", ["short", "k" * 101])
def test_a_key_has_a_length_limit(http: httpx2.Client, practice: PracticeFixture, key: str) -> None:
    assert post_staff(http, admin_headers(practice), key, new_staff_body()).status_code == 422


def test_one_of_twenty_concurrent_changes_to_a_version_succeeds(http: httpx2.Client, practice: PracticeFixture) -> None:
    headers = admin_headers(practice)
    path = f"{V1}/staff/{practice.admin.staff_id}"
    etag = http.get(path, headers=headers).headers["ETag"]

    def change(number: int) -> httpx2.Response:
        return http.patch(path, json={"first_name": f"Ada {number}"}, headers=headers | {"If-Match": etag})

    answers = run_in_parallel(change, range(TIMES))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: TIMES - 1}
    succeeded = next(answer for answer in answers if answer.status_code == 200)
    read = http.get(path, headers=headers)
    assert succeeded.json() | read.json() == succeeded.json()  # which also says whom the change concerns
    assert read.headers["ETag"] == succeeded.headers["ETag"] != etag


@pytest.mark.parametrize(
    ("if_match", "status"),
    [(None, 428), ('"0"', 412), ('"99"', 412), ("*", 412), ("", 412), ("one", 412), ('"' + "9" * 5000 + '"', 412)],
)
def test_a_change_requires_the_current_version(
    http: httpx2.Client, practice: PracticeFixture, if_match: str | None, status: int
) -> None:
    headers = admin_headers(practice) | ({} if if_match is None else {"If-Match": if_match})
    answer = http.patch(f"{V1}/staff/{practice.admin.staff_id}", json={"first_name": "Eve"}, headers=headers)
    assert answer.status_code == status
    assert error_code(answer) == {428: "PRECONDITION_REQUIRED", 412: "STALE"}[status]
