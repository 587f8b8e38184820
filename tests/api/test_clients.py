"""Clients' records over HTTP: taking in, who sees what, changing, what is noted of it."""

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from practice.store.ids import new_id
from tests.support.builders.people import Person, PracticeFixture
from tests.support.builders.schedule import make_appointment, make_client, make_portal_client, make_service
from tests.support.drivers.clients import NEW, ask, change, good, problems, trail
from tests.support.drivers.http import code_of

READERS = ("admin", "supervisor", "clinician", "scheduler", "biller", "client")


@pytest.fixture
def people(practice: PracticeFixture) -> dict[str, Person]:
    """Somebody of every role who reads clients; the client is the clinician's, who is the supervisor's."""
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    return {
        **{"admin": practice.admin, "supervisor": supervisor, "clinician": clinician},
        **{"scheduler": practice.add("scheduler"), "biller": practice.add("biller")},
        "client": make_portal_client(practice, clinician),
    }


def record(
    client: TestClient, practice: PracticeFixture, client_id: Any, who: Person | None = None, **headers: str
) -> Any:
    return ask(client, practice, "GET", f"/clients/{client_id}", who, **headers)


def write_notes(client: TestClient, practice: PracticeFixture, client_id: Any, text: str | None) -> Any:
    version = record(client, practice, client_id).headers["ETag"]
    body = {"medical_notes": text}
    return ask(
        client, practice, "PATCH", f"/clients/{client_id}", None, body, If_Match=version, X_Reason="Moved from paper"
    )


def test_a_new_client_is_active_from_the_day_of_admission(client: TestClient, practice: PracticeFixture) -> None:
    clinician = practice.add("clinician")
    sent = NEW | {
        **{"sex": "F", "email": " Casey@Example.com ", "phone": "404-555-0100", "zip": "30301", "state": "GA"},
        **{"self_pay": True, "referring_provider": "Dr. Sample", "primary_clinician_id": str(clinician.staff_id)},
        "admitted_on": "2026-03-02",
    }
    answer = ask(client, practice, "POST", "/clients", practice.add("scheduler"), sent)
    made = good(answer, 201)
    assert made | {"email": sent["email"]} == made | sent  # all that was sent
    assert (made["email"], made["status"], made["minor"], made["reminders"]) == (
        *("casey@example.com", "ACTIVE", False),
        ["email"],
    )
    assert answer.headers["ETag"] == '"1"'
    path = f"/clients/{made['id']}"
    (status,) = good(ask(client, practice, "GET", f"{path}/statuses"))["items"]
    assert (status["status"], status["effective_on"]) == ("ACTIVE", "2026-03-02")
    (care,) = good(ask(client, practice, "GET", f"{path}/primary-clinician"))["items"]
    assert (care["clinician_id"], care["effective_on"]) == (str(clinician.staff_id), "2026-03-02")
    assert len(trail(client, practice, "client.added", made["id"])) == 1


def test_somebody_is_admitted_on_the_practices_own_today(client: TestClient, practice: PracticeFixture) -> None:
    made = good(ask(client, practice, "POST", "/clients", None, NEW), 201)
    assert (made["admitted_on"], made["primary_clinician_id"]) == ("2026-03-18", None)
    assert good(ask(client, practice, "GET", f"/clients/{made['id']}/primary-clinician"))["items"] == []


def test_a_form_that_is_wrong_in_five_ways_is_told_all_five(client: TestClient, practice: PracticeFixture) -> None:
    wrong = {"birth_date": "2015-01-01", "email": "casey", "phone": "none", "zip": "1", "admitted_on": "2026-03-19"}
    wrong |= {"primary_clinician_id": str(practice.admin.staff_id)}
    said = problems(ask(client, practice, "POST", "/clients", None, NEW | wrong))
    assert len(said) == 6
    assert "no clinician" in said[-1]
    assert good(ask(client, practice, "GET", "/clients"))["items"] == []


def test_a_clinician_of_another_practice_is_none(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    (said,) = problems(ask(client, practice, "POST", "/clients", None, NEW | {"primary_clinician_id": str(new_id())}))
    assert "no clinician of this practice" in said


def test_everybody_reads_those_who_are_theirs_and_nobody_else(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own = people["client"].staff_id
    visited = make_client(practice)
    start = practice.now.replace(minute=0)
    make_appointment(practice, people["clinician"], visited, make_service(practice), start)
    others = make_client(practice)
    reach = {
        **{role: {own, visited, others} for role in ("admin", "scheduler", "biller")},
        **{role: {own, visited} for role in ("supervisor", "clinician")},
        "client": {own},
    }
    for role, theirs in reach.items():
        found = {item["id"] for item in good(ask(client, practice, "GET", "/clients", people[role]))["items"]}
        assert found == {str(one) for one in theirs}, role
        for one in (own, visited, others):
            answer = record(client, practice, one, people[role])
            assert answer.status_code == (200 if one in theirs else 404), (role, one)


def test_medical_notes_are_read_by_those_who_read_the_chart(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own = people["client"].staff_id
    written = good(write_notes(client, practice, own, "Takes Sampline\nin the morning"))
    assert written["medical_notes"] == "Takes Sampline\nin the morning"
    for role in READERS:
        for headers in ({}, {"X_Reason": "Asked by the client"}):
            seen = good(record(client, practice, own, people[role], **headers))["medical_notes"]
            reads = role in ("supervisor", "clinician") or (role == "admin" and headers)
            assert (seen is not None) == bool(reads), (role, headers)
    reasons = [entry["details"].get("reason") for entry in trail(client, practice, "client.read", own)]
    assert reasons.count("Asked by the client") == len(READERS)
    assert good(ask(client, practice, "GET", "/clients"))["items"][0].keys().isdisjoint({"medical_notes", "zip"})


def test_medical_notes_are_written_by_those_who_may_read_them(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    path = f"/clients/{people['client'].staff_id}"
    (said,) = problems(change(client, practice, path, medical_notes="x"))
    assert "X-Reason" in said
    refused = change(client, practice, path, people["scheduler"], medical_notes="x")
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    both = practice.add("scheduler", "clinician")
    assert change(client, practice, path, both, medical_notes="x").status_code == 403  # not a client of theirs
    good(write_notes(client, practice, people["client"].staff_id, "x"))
    good(write_notes(client, practice, people["client"].staff_id, None))
    assert good(record(client, practice, people["client"].staff_id, people["clinician"]))["medical_notes"] is None


def test_a_reason_is_a_short_sentence(client: TestClient, practice: PracticeFixture, people: dict[str, Person]) -> None:
    own = people["client"].staff_id
    for reason in ("no", "x" * 201):
        assert record(client, practice, own, None, X_Reason=reason).status_code == 422


def test_clients_do_not_read_what_is_thought_of_their_risk(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own = people["client"].staff_id
    good(change(client, practice, f"/clients/{own}", high_risk_since="2026-03-01", high_risk_until="2026-04-01"))
    risk = {role: good(record(client, practice, own, people[role]))["high_risk_since"] for role in READERS}
    assert risk == dict.fromkeys(READERS, "2026-03-01") | {"client": None}


def test_a_change_is_of_what_is_sent_and_of_nothing_else(client: TestClient, practice: PracticeFixture) -> None:
    made = good(ask(client, practice, "POST", "/clients", None, NEW | {"city": "Atlanta", "sex": "X"}), 201)
    changed = good(change(client, practice, f"/clients/{made['id']}", city="Macon", sex=None))
    assert changed == made | {"city": "Macon", "sex": None, "version": 2}
    (entry,) = trail(client, practice, "client.changed", made["id"])
    assert entry["details"] == {"fields": ["city", "sex"]}


def test_nobody_overwrites_a_change_that_they_have_not_seen(client: TestClient, practice: PracticeFixture) -> None:
    path = f"/clients/{make_client(practice)}"
    good(change(client, practice, path, city="Macon"))
    stale = ask(client, practice, "PATCH", path, None, {"city": "Rome"}, If_Match='"1"')
    assert (stale.status_code, code_of(stale)) == (412, "STALE")
    assert ask(client, practice, "PATCH", path, None, {"city": "Rome"}).status_code == 428


@pytest.mark.parametrize("emptied", ["first_name", "last_name", "birth_date", "admitted_on", "self_pay"])
def test_what_a_record_needs_cannot_be_emptied(client: TestClient, practice: PracticeFixture, emptied: str) -> None:
    path = f"/clients/{make_client(practice)}"
    assert change(client, practice, path, **{emptied: None}).status_code == 422


def test_a_child_without_a_guardian_is_said_to_need_one(client: TestClient, practice: PracticeFixture) -> None:
    child = make_client(practice, birth_date=date(2012, 1, 1))  # as an import may leave it
    path = f"/clients/{child}"
    assert good(change(client, practice, path, city="Macon"))["minor"] is True
    assert "guardian" in problems(change(client, practice, path, birth_date="2012-01-02"))[0]
    good(change(client, practice, path, birth_date="2012-01-02", guardian_name="Kin Example"))


# Contact and reminders: what clients keep up themselves


def test_clients_keep_up_how_they_are_reached(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    me = people["client"]
    path = f"/clients/{me.staff_id}"
    seen = good(change(client, practice, f"{path}/contact", me, phone="404-555-0199", emergency_contact_name="Kin"))
    assert (seen["phone"], seen["emergency_contact_name"]) == ("404-555-0199", "Kin")
    assert len(problems(change(client, practice, f"{path}/contact", me, phone="no", email="no", zip="no"))) == 3
    for field in ("first_name", "medical_notes", "guardian_name", "self_pay"):
        assert change(client, practice, f"{path}/contact", me, **{field: "x"}).status_code == 422
    other = f"/clients/{make_client(practice, people['clinician'])}/contact"
    assert change(client, practice, other, me, phone="404-555-0199").status_code == 404
    assert change(client, practice, path, me, phone="404-555-0199").status_code == 403
    assert change(client, practice, f"{path}/contact", people["clinician"], city="Rome").status_code == 403
    assert len(trail(client, practice, "client.contact_changed", me.staff_id)) == 1


@pytest.mark.parametrize("ways", [[], ["sms"], ["email", "sms"]])
def test_reminders_come_the_way_that_was_chosen(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person], ways: list[str]
) -> None:
    path = f"/clients/{people['client'].staff_id}/notification-preferences"
    assert good(ask(client, practice, "GET", path, people["biller"]))["reminders"] == ["email"]
    for who in (people["client"], people["scheduler"]):
        assert good(change(client, practice, path, who, "PUT", reminders=ways))["reminders"] == ways
    assert change(client, practice, path, people["clinician"], "PUT", reminders=ways).status_code == 403
    assert change(client, practice, path, None, "PUT", reminders=["pigeon"]).status_code == 422
    assert good(ask(client, practice, "GET", path, people["client"]))["reminders"] == ways


def test_reading_a_record_is_noted_as_reading_it(
    client: TestClient, practice: PracticeFixture, people: dict[str, Person]
) -> None:
    own = people["client"].staff_id
    for part in ("", "/statuses", "/primary-clinician", "/coverages", "/consents", "/timeline"):
        good(ask(client, practice, "GET", f"/clients/{own}{part}", people["clinician"]))
    entries = trail(client, practice, "client.read", own)
    assert [entry["details"].get("part") for entry in entries] == [
        *("timeline", "consents", "coverages", "primary clinicians", "statuses"),
        None,
    ]
    assert {entry["account_id"] for entry in entries} == {str(people["clinician"].account_id)}
