"""The staff directory over HTTP."""

from fastapi.testclient import TestClient

from tests.support.people import House


def bearer(practice: House, person=None) -> dict[str, str]:
    return {"Authorization": f"Bearer {practice.token(person)}"}


def test_an_admin_adds_reads_and_changes_somebody(client: TestClient, practice: House) -> None:
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
