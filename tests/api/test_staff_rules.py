"""Staff rules over HTTP, including concurrent changes."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.people import staff
from practice.people.staff import list_staff, supervisor_problems
from practice.security.audit import search
from practice.security.installation import Installation
from practice.store.ids import SYSTEM_TENANT, new_id
from practice.store.pages import PageRequest
from tests.support.builders.people import Person, PracticeFixture, make_platform_admin, make_practice, sign_in
from tests.support.drivers.http import V1, auth_headers, error_code, token_headers
from tests.support.drivers.server import run_in_parallel


def change_staff(
    client: TestClient, practice: PracticeFixture, person: Person, by: Person | None = None, **body: Any
) -> Any:
    path = f"{V1}/staff/{person.staff_id}"
    headers = auth_headers(practice, by)
    etag = client.get(path, headers=headers).headers["ETag"]
    return client.patch(path, json=body, headers=headers | {"If-Match": etag})


def deactivate(client: TestClient, practice: PracticeFixture, person: Person, by: Person | None = None) -> Any:
    path = f"{V1}/staff/{person.staff_id}/deactivate"
    return client.post(path, json={"left_on": "2026-03-18"}, headers=auth_headers(practice, by))


def test_the_last_admin_stays(client: TestClient, practice: PracticeFixture) -> None:
    for answer in (
        change_staff(client, practice, practice.admin, roles=["biller"]),
        deactivate(client, practice, practice.admin),
    ):
        assert (answer.status_code, error_code(answer)) == (409, "LAST_ADMIN")
    second = practice.add("admin")
    assert change_staff(client, practice, practice.admin, by=second, roles=["biller"]).status_code == 200
    assert error_code(deactivate(client, practice, second, by=second)) == "LAST_ADMIN"


@pytest.mark.parametrize("action", ["leave", "roles"])
def test_two_admins_who_remove_each_other_leave_one(
    client: TestClient, installation: Installation, action: str
) -> None:
    for _ in range(6):
        practice = make_practice(installation)
        first, second = practice.admin, practice.add("admin")

        def remove(pair: tuple[str, dict[str, str]]) -> Any:
            path, headers = pair
            if action == "leave":
                return client.post(f"{path}/deactivate", json={"left_on": "2026-03-18"}, headers=headers)
            return client.patch(path, json={"roles": ["biller"]}, headers=headers | {"If-Match": '"1"'})

        pairs = [
            (f"{V1}/staff/{of.staff_id}", auth_headers(practice, by)) for by, of in ((first, second), (second, first))
        ]
        answers = Counter(answer.status_code for answer in run_in_parallel(remove, pairs))
        with practice.work() as work:
            page = list_staff(work, PageRequest(), role="admin", active=True)
        assert len(page.items) == 1, answers


def test_staff_cannot_supervise_themselves_through_others(client: TestClient, practice: PracticeFixture) -> None:
    top = practice.add("supervisor")
    middle = practice.add("supervisor", supervisor=top)
    bottom = practice.add("clinician", supervisor=middle)
    for supervisor in (top, middle, bottom):
        answer = change_staff(client, practice, top, supervisor_id=str(supervisor.staff_id))
        assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR")
    assert change_staff(client, practice, bottom, supervisor_id=str(top.staff_id)).json()["supervisor_id"] == str(
        top.staff_id
    )
    assert change_staff(client, practice, top, supervisor_id=None).status_code == 200
    assert change_staff(client, practice, top, supervisor_id=str(new_id())).status_code == 422


def test_concurrent_changes_of_supervisor_do_not_form_a_cycle(
    client: TestClient, practice: PracticeFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = practice.add("supervisor"), practice.add("supervisor")
    barrier = threading.Barrier(2)
    original = supervisor_problems

    def check_together(*args: Any) -> list[str]:
        barrier.wait(timeout=15)
        return original(*args)

    monkeypatch.setattr(staff, "supervisor_problems", check_together)
    pairs = [(first, second), (second, first)]
    answers = run_in_parallel(
        lambda pair: change_staff(client, practice, pair[0], supervisor_id=str(pair[1].staff_id)), pairs
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 1}


def add_staff(client: TestClient, practice: PracticeFixture, **body: Any) -> Any:
    new = NEW | {"email": f"new-{new_id()}@example.com"}
    return client.post(f"{V1}/staff", json=new | body, headers=auth_headers(practice))


def test_only_an_active_supervisor_can_be_a_supervisor(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    gone, left = practice.add("supervisor"), practice.add("supervisor")
    assert deactivate(client, practice, gone).status_code == 200
    assert change_staff(client, practice, left, left_on="2026-03-17").status_code == 200
    for wrong in (practice.add("clinician"), practice.admin, gone, left):
        for answer in (
            change_staff(client, practice, person, supervisor_id=str(wrong.staff_id)),
            add_staff(client, practice, supervisor_id=str(wrong.staff_id)),
        ):
            assert (answer.status_code, error_code(answer)) == (422, "VALIDATION_ERROR")
            assert "not an active supervisor" in answer.json()["error"]["message"]
    leaving = practice.add("admin", "supervisor")
    assert change_staff(client, practice, leaving, left_on="2026-03-18").status_code == 200  # works until tonight
    for answer in (
        change_staff(client, practice, person, supervisor_id=str(leaving.staff_id)),
        add_staff(client, practice, supervisor_id=str(leaving.staff_id)),
    ):
        assert answer.status_code < 300, answer.text


def test_supervisees_who_need_another_supervisor_are_named(client: TestClient, practice: PracticeFixture) -> None:
    supervisor = practice.add("supervisor", "clinician")
    ann, ben = (practice.add("clinician", supervisor=supervisor) for _ in range(2))
    former = practice.add("clinician", supervisor=supervisor)
    assert deactivate(client, practice, former).json()["supervisees"] == []

    def list_named(answer: Any) -> set[str]:
        assert answer.status_code == 200, answer.text
        return {item["id"] for item in answer.json()["supervisees"]}

    both = {str(ann.staff_id), str(ben.staff_id)}
    assert list_named(change_staff(client, practice, supervisor, license_number="A 1")) == set()
    assert list_named(change_staff(client, practice, supervisor, roles=["clinician"])) == both
    # somebody who keeps such a supervisor can be changed otherwise
    assert change_staff(client, practice, ann, supervisor_id=str(supervisor.staff_id), npi=None).status_code == 200
    assert list_named(change_staff(client, practice, supervisor, roles=["supervisor"])) == set()
    assert list_named(change_staff(client, practice, supervisor, left_on="2026-05-01")) == both
    other = practice.add("supervisor")
    assert change_staff(client, practice, ann, supervisor_id=str(other.staff_id)).status_code == 200
    answer = deactivate(client, practice, supervisor)
    assert list_named(answer) == {str(ben.staff_id)}
    assert answer.json()["supervisees"][0]["name"].startswith("Robin Tester")


def test_nobody_gets_a_supervisor_who_is_losing_the_role(
    client: TestClient, practice: PracticeFixture, installation: Installation
) -> None:
    for _ in range(4):
        supervisor, person = practice.add("supervisor"), practice.add("clinician")
        changes = [(supervisor, {"roles": ["biller"]}), (person, {"supervisor_id": str(supervisor.staff_id)})]
        lost, given = run_in_parallel(lambda pair: change_staff(client, practice, pair[0], **pair[1]), changes)
        named = {item["id"] for item in lost.json()["supervisees"]}
        assert (given.status_code == 200) == (str(person.staff_id) in named), given.text


def test_a_supervisor_of_another_practice_is_unknown(
    client: TestClient, installation: Installation, practice: PracticeFixture
) -> None:
    stranger = make_practice(installation).add("supervisor")
    person = practice.add("clinician")
    answers = [change_staff(client, practice, person, supervisor_id=str(i)) for i in (stranger.staff_id, new_id())]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json()["error"]["message"] == answers[1].json()["error"]["message"]


NEW: dict[str, Any] = {"first_name": "A", "last_name": "B", "roles": ["biller"], "hired_on": "2026-03-01"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": []},
        {"roles": ["client"]},
        {"roles": ["platform_admin"]},
        {"roles": "admin"},
        {"first_name": "   "},
        {"first_name": "a\nb"},
        {"last_name": "x" * 101},
        {"npi": "1234567890"},
        {"npi": "123"},
        {"hired_on": "2026-02-30"},
        {"email": "not-an-address"},
        {"email": "two@example.com, one@example.com"},
        {"discipline": "MAGIC"},
        {"license_type": "lpc"},
        {"active": False},
        {"tenant_id": "01890000-0000-7000-8000-000000000000"},
        {"account_id": "01890000-0000-7000-8000-000000000000"},
    ],
)
def test_an_invalid_record_is_refused(client: TestClient, practice: PracticeFixture, wrong: dict[str, Any]) -> None:
    body = NEW | {"email": f"a-{practice.id}@example.com"}
    assert client.post(f"{V1}/staff", json=body | wrong, headers=auth_headers(practice)).status_code == 422
    assert client.post(f"{V1}/staff", json=body, headers=auth_headers(practice)).status_code == 201


def test_optional_fields_can_be_cleared_and_required_ones_cannot(client: TestClient, practice: PracticeFixture) -> None:
    person = practice.add("clinician")
    full = {"discipline": "COUNSELING", "license_type": "LPC", "license_number": "A 1", "npi": "1234567893"}
    assert change_staff(client, practice, person, **full).json().items() >= full.items()
    emptied = change_staff(client, practice, person, **dict.fromkeys(full))
    assert [emptied.json()[name] for name in full] == [None] * 4
    for name in ("first_name", "last_name", "roles", "hired_on"):
        assert change_staff(client, practice, person, **{name: None}).status_code == 422
    assert change_staff(client, practice, person, hired_on="2026-01-02", left_on="2026-01-01").status_code == 422


def test_practices_can_be_created_concurrently(client: TestClient, installation: Installation) -> None:
    """Each creates its first data key within its transaction."""
    admin = make_platform_admin(installation)
    headers = token_headers(sign_in(installation, admin.account_id, SYSTEM_TENANT).access)

    def create(number: int) -> int:
        name = f"Practice {new_id()}"
        admin_body = {"email": f"boss-{new_id()}@example.com", "first_name": "B", "last_name": "O"}
        body = {"name": name, "time_zone": "Europe/Vienna", "tax_id": "12-345", "admin": admin_body}
        return client.post(f"{V1}/practices", json=body, headers=headers).status_code

    assert Counter(run_in_parallel(create, range(24))) == {201: 24}


def test_a_practice_name_is_unique(client: TestClient, installation: Installation) -> None:
    admin = make_platform_admin(installation)
    headers = token_headers(sign_in(installation, admin.account_id, SYSTEM_TENANT).access)
    admin_body = {"email": f"boss-{new_id()}@example.com", "first_name": "B", "last_name": "O"}
    body = {"name": f"Hill & Dale {new_id()}", "time_zone": "America/New_York", "admin": admin_body}
    assert client.post(f"{V1}/practices", json=body, headers=headers).status_code == 201
    answer = client.post(f"{V1}/practices", json=body | {"name": body["name"].upper()}, headers=headers)
    assert (answer.status_code, error_code(answer)) == (409, "SLUG_TAKEN")
    assert client.post(f"{V1}/practices", json=body | {"time_zone": "Mars/Base"}, headers=headers).status_code == 422


def list_entries(practice: PracticeFixture) -> list[tuple[str, Any]]:
    with practice.work() as work:
        rows = search(work, PageRequest(limit=100, sort="-seq")).items
    reads = ("audit.searched", "appointments.listed")  # by this function, and of the visits that a change concerns
    return [(row.action, row.account_id) for row in rows if row.action not in reads]


def test_every_change_is_audited(client: TestClient, installation: Installation, practice: PracticeFixture) -> None:
    admin_body = make_platform_admin(installation)
    platform = token_headers(sign_in(installation, admin_body.account_id, SYSTEM_TENANT).access)
    person = practice.add("clinician")
    path, practice_path = f"{V1}/staff/{person.staff_id}", f"{V1}/practices/{practice.id}"
    admin = auth_headers(practice)
    new = NEW | {"email": f"a-{practice.id}@example.com"}
    training = {"kind": "HIPAA", "completed_on": date(2026, 3, 1).isoformat()}
    setting = {"value": 60, "effective_on": "2026-04-01"}
    operations: list[tuple[str, Callable[[], Any]]] = [
        ("staff.added", lambda: client.post(f"{V1}/staff", json=new, headers=admin)),
        ("staff.changed", lambda: client.patch(path, json={"npi": None}, headers=admin | {"If-Match": '"1"'})),
        ("training.recorded", lambda: client.post(f"{path}/trainings", json=training, headers=admin)),
        ("staff.deactivated", lambda: client.post(f"{path}/deactivate", json={"left_on": "2026-03-18"}, headers=admin)),
        ("staff.rehired", lambda: client.post(f"{path}/rehire", json={"returned_on": "2026-03-18"}, headers=admin)),
        ("staff.invited", lambda: client.post(f"{path}/invite", headers=admin)),
        ("setting.changed", lambda: client.post(f"{V1}/settings/hipaa_grace_days", json=setting, headers=admin)),
        ("audit.verified", lambda: client.post(f"{V1}/audit/verify", headers=admin)),
        (
            "practice.changed",
            lambda: client.patch(practice_path, json={"npi": None}, headers=platform | {"If-Match": '"1"'}),
        ),
        ("session.ended", lambda: client.post(f"{V1}/auth/logout", headers=admin)),
    ]
    for action, run in operations:
        before = len(list_entries(practice))
        answer = run()
        assert answer.status_code < 300, (action, answer.text)
        entries = list_entries(practice)
        by = admin_body.account_id if action == "practice.changed" else practice.admin.account_id
        assert entries[0] == (action, by)
        assert len(entries) == before + 1
