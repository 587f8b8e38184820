"""The staff directory over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from practice.security.sign_in import PracticeClosed
from tests.support.builders.people import PracticeFixture
from tests.support.drivers.http import bearer, with_token


def test_an_admin_adds_reads_and_changes_somebody(client: TestClient, practice: PracticeFixture) -> None:
    new = {"email": "New.Person@Example.com", "first_name": "New", "last_name": "Person", "roles": ["clinician"]}
    answer = client.post("/api/v1/staff", json=new | {"hired_on": "2026-03-01"}, headers=bearer(practice))
    assert answer.status_code == 201, answer.text
    staff = answer.json()["staff"]
    assert staff["email"] == "new.person@example.com"
    read = client.get(f"/api/v1/staff/{staff['id']}", headers=bearer(practice))
    assert read.json() == staff
    etag = read.headers["etag"]
    changed = client.patch(
        f"/api/v1/staff/{staff['id']}", json={"last_name": "Else"}, headers=bearer(practice) | {"If-Match": etag}
    )
    assert changed.json() == staff | {"last_name": "Else", "version": 2}
    again = client.patch(
        f"/api/v1/staff/{staff['id']}", json={"last_name": "Lost"}, headers=bearer(practice) | {"If-Match": etag}
    )
    assert again.status_code == 412
    assert again.json()["error"]["code"] == "STALE"


def test_whoever_has_had_their_last_day_is_out_though_nobody_deactivated_them(
    client: TestClient, practice: PracticeFixture
) -> None:
    leaving = practice.add("clinician")
    path = f"/api/v1/staff/{leaving.staff_id}"
    last = {"left_on": "2026-03-18"}
    assert client.patch(path, json=last, headers=bearer(practice) | {"If-Match": '"1"'}).status_code == 200
    midnight = datetime(2026, 3, 19, 4, tzinfo=UTC)  # in New York
    headers = with_token(practice.token(leaving, midnight - timedelta(minutes=1)))
    for moment, status in ((midnight - timedelta(minutes=1), 200), (midnight, 401)):
        client.app.state.clock = lambda moment=moment: moment
        assert client.get("/api/v1/staff", headers=headers).status_code == status, moment
    with pytest.raises(PracticeClosed):
        practice.token(leaving, midnight)


def test_the_only_admin_gets_no_last_day(client: TestClient, practice: PracticeFixture) -> None:
    path = f"/api/v1/staff/{practice.admin.staff_id}"
    ask = {"json": {"left_on": "2026-12-31"}, "headers": bearer(practice) | {"If-Match": '"1"'}}
    assert client.patch(path, **ask).json()["error"]["code"] == "LAST_ADMIN"
    practice.add("admin")
    assert client.patch(path, **ask).status_code == 200
    other = f"/api/v1/staff/{practice.people['admin'].staff_id}"
    assert client.patch(other, **ask).json()["error"]["code"] == "LAST_ADMIN"
