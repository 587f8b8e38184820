"""The staff directory over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from practice.security.sign_in import PracticeClosed
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import auth_headers, token_headers


def test_an_admin_adds_reads_and_changes_staff(client: TestClient, practice: PracticeFixture) -> None:
    new = {"email": "New.Person@Example.com", "first_name": "New", "last_name": "Person", "roles": ["clinician"]}
    answer = client.post("/api/v1/staff", json=new | {"hired_on": "2026-03-01"}, headers=auth_headers(practice))
    assert answer.status_code == 201, answer.text
    staff = answer.json()["staff"]
    assert staff["email"] == "new.person@example.com"
    read = client.get(f"/api/v1/staff/{staff['id']}", headers=auth_headers(practice))
    assert read.json() == staff
    etag = read.headers["etag"]
    changed = client.patch(
        f"/api/v1/staff/{staff['id']}", json={"last_name": "Else"}, headers=auth_headers(practice) | {"If-Match": etag}
    )
    nobody = {
        "affected": [],
        "affected_count": 0,
        "affected_groups": [],
        "waitlist_entries": [],
        "supervisees": [],
        "unsigned": [],
        "unsigned_count": 0,
    }
    nobody |= {"warnings": [], "notes_in_review_count": 0, "notes_in_review": []}
    nobody |= {"supervisees_notes_in_review_count": 0, "supervisees_notes_in_review": []}
    assert changed.json() == staff | {"last_name": "Else", "version": 2} | nobody
    stale = client.patch(
        f"/api/v1/staff/{staff['id']}", json={"last_name": "Lost"}, headers=auth_headers(practice) | {"If-Match": etag}
    )
    assert stale.status_code == 412
    assert stale.json()["error"]["code"] == "STALE"


def test_staff_lose_access_after_their_last_day_even_if_not_deactivated(
    client: TestClient, practice: PracticeFixture
) -> None:
    leaving = practice.add("clinician")
    path = f"/api/v1/staff/{leaving.staff_id}"
    body = {"left_on": "2026-03-18"}
    assert client.patch(path, json=body, headers=auth_headers(practice) | {"If-Match": '"1"'}).status_code == 200
    midnight = datetime(2026, 3, 19, 4, tzinfo=UTC)  # in New York
    headers = token_headers(practice.token(leaving, midnight - timedelta(minutes=1)))
    for instant, status in ((midnight - timedelta(minutes=1), 200), (midnight, 401)):
        client.app.state.clock = lambda instant=instant: instant
        assert client.get("/api/v1/staff", headers=headers).status_code == status, instant
    with pytest.raises(PracticeClosed):
        practice.token(leaving, midnight)


def test_staff_are_not_active_after_their_last_day(client: TestClient, practice: PracticeFixture) -> None:
    leaving = practice.add("clinician")
    path = f"/api/v1/staff/{leaving.staff_id}"

    def list_ids(active: bool) -> set[str]:
        query = {"active": active, "limit": 100}
        items = client.get("/api/v1/staff", params=query, headers=auth_headers(practice)).json()["items"]
        assert {item["active"] for item in items} <= {active}
        return {item["id"] for item in items}

    for version, left_on, active in ((1, "2026-03-18", True), (2, "2026-03-17", False)):
        headers = auth_headers(practice) | {"If-Match": f'"{version}"'}
        assert client.patch(path, json={"left_on": left_on}, headers=headers).json()["active"] is active
        assert client.get(path, headers=auth_headers(practice)).json()["active"] is active
        assert str(leaving.staff_id) in list_ids(active) - list_ids(not active)


def test_the_only_admin_cannot_get_a_last_day(client: TestClient, practice: PracticeFixture) -> None:
    path = f"/api/v1/staff/{practice.admin.staff_id}"
    request = {"json": {"left_on": "2026-12-31"}, "headers": auth_headers(practice) | {"If-Match": '"1"'}}
    assert client.patch(path, **request).json()["error"]["code"] == "LAST_ADMIN"
    practice.add("admin")
    assert client.patch(path, **request).status_code == 200
    other = f"/api/v1/staff/{practice.people['admin'].staff_id}"
    assert client.patch(other, **request).json()["error"]["code"] == "LAST_ADMIN"
