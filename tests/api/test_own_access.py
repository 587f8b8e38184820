"""Admins do not extend their own access: another admin decides, and the only one states a reason."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.builders.notes import make_note
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_client
from tests.support.drivers.clients import load_audit_entries
from tests.support.drivers.http import V1, auth_headers, error_code, token_headers
from tests.support.drivers.sign_in_flow import set_clock

REASON = {"X-Reason": "Nobody else can co-sign"}


def change(
    client: TestClient,
    practice: PracticeFixture,
    person: Person,
    by: Person,
    more: dict[str, str] | None = None,
    **body: Any,
) -> Any:
    path = f"{V1}/staff/{person.staff_id}"
    headers = auth_headers(practice, by)
    etag = client.get(path, headers=headers).headers["ETag"]
    return client.patch(path, json=body, headers=headers | {"If-Match": etag} | (more or {}))


def assert_refused(answer: Any) -> None:
    assert (answer.status_code, error_code(answer)) == (403, "SELF_GRANT")


@pytest.mark.parametrize("role", ["supervisor", "clinician", "biller"])
def test_one_of_two_admins_cannot_take_a_role(client: TestClient, practice: PracticeFixture, role: str) -> None:
    second = practice.add("admin")
    for more in ({}, REASON):
        assert_refused(change(client, practice, second, second, more, roles=["admin", role]))
    assert change(client, practice, second, practice.admin, roles=["admin", role]).status_code == 200
    assert change(client, practice, second, second, roles=["admin"]).status_code == 200  # giving one up


def test_one_of_two_admins_cannot_become_a_supervisor(client: TestClient, practice: PracticeFixture) -> None:
    both = practice.add("admin", "supervisor")
    clinician = practice.add("clinician")
    assert_refused(change(client, practice, clinician, both, REASON, supervisor_id=str(both.staff_id)))
    new = {"email": f"new-{practice.id}@example.com", "first_name": "New", "last_name": "Comer"}
    new |= {"roles": ["clinician"], "hired_on": "2026-03-01", "supervisor_id": str(both.staff_id)}
    assert_refused(client.post(f"{V1}/staff", json=new, headers=auth_headers(practice, both) | REASON))
    by_other = change(client, practice, clinician, practice.admin, supervisor_id=str(both.staff_id))
    assert by_other.status_code == 200
    assert change(client, practice, clinician, both, npi="1234567893").status_code == 200


def test_the_only_admin_states_a_reason(client: TestClient, practice: PracticeFixture) -> None:
    admin, clinician = practice.admin, practice.add("clinician")
    assert_refused(change(client, practice, admin, admin, roles=["admin", "supervisor"]))
    assert change(client, practice, admin, admin, REASON, roles=["admin", "supervisor"]).status_code == 200
    assert_refused(change(client, practice, clinician, admin, supervisor_id=str(admin.staff_id)))
    assert change(client, practice, clinician, admin, REASON, supervisor_id=str(admin.staff_id)).status_code == 200
    entries = load_audit_entries(client, practice, "staff.changed")
    assert [entry["subject_id"] for entry in entries] == [str(clinician.staff_id), str(admin.staff_id)]
    for entry in entries:
        assert entry["details"] | {"self_granted": True, "reason": REASON["X-Reason"]} == entry["details"]


@pytest.mark.parametrize("way", ["leaves later", "left", "left yesterday", "demoted", "deactivated", "rehired"])
def test_an_admin_who_has_or_had_access_still_counts(client: TestClient, practice: PracticeFixture, way: str) -> None:
    admin, second = practice.admin, practice.add("admin")
    if way in ("deactivated", "rehired"):
        path = f"{V1}/staff/{second.staff_id}/deactivate"
        answer = client.post(path, json={"left_on": "2026-03-18"}, headers=auth_headers(practice))
    else:
        changes = {"leaves later": "2099-01-01", "left": "2026-03-01", "left yesterday": "2026-03-17"}
        body = {"left_on": changes[way]} if way in changes else {"roles": ["biller"]}
        answer = change(client, practice, second, admin, **body)
    assert answer.status_code == 200, answer.text
    if way == "rehired":  # the new invitation is not accepted yet
        change(client, practice, second, admin, left_on="2026-03-16")
        path = f"{V1}/staff/{second.staff_id}/rehire"
        answer = client.post(path, json={"returned_on": "2026-03-18"}, headers=auth_headers(practice))
        assert answer.status_code == 200, answer.text
    assert_refused(change(client, practice, admin, admin, REASON, roles=["admin", "supervisor"]))
    now = set_clock(client, timedelta(hours=25))
    headers = token_headers(practice.token(admin, now)) | {"If-Match": '"1"'} | REASON
    answer = client.patch(f"{V1}/staff/{admin.staff_id}", json={"roles": ["admin", "supervisor"]}, headers=headers)
    assert answer.status_code == (403 if way in ("leaves later", "rehired") else 200)


def test_outside_their_team_an_admin_and_supervisor_states_a_reason(
    client: TestClient, practice: PracticeFixture
) -> None:
    both = practice.add("admin", "supervisor")
    own, other = practice.add("clinician", supervisor=both), practice.add("clinician")
    paths = [
        f"{V1}/notes/{make_note(practice, clinician, make_client(practice, clinician))}" for clinician in (own, other)
    ]
    headers = auth_headers(practice, both)
    assert [client.get(path, headers=headers).status_code for path in paths] == [200, 404]
    assert [client.get(path, headers=headers | REASON).status_code for path in paths] == [200, 200]
