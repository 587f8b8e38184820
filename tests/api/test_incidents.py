"""Incidents over HTTP: reported by anyone, handled by an admin, closed when every notice is sent."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import V1, assert_ok, auth_headers, error_code, void
from tests.support.drivers.sign_in_flow import set_clock

LATE_EVENING = "2026-01-16T04:30:00Z"  # still the 15th in New York


def report(client: TestClient, practice: PracticeFixture, by: Person | None = None, **fields: Any) -> dict[str, Any]:
    body = {"kind": "LOST_DEVICE", "detected_at": LATE_EVENING, "summary": "A phone in a taxi"} | fields
    answer = client.post(f"{V1}/incidents", json=body, headers=auth_headers(practice, by))
    assert answer.status_code == 201, answer.text
    return answer.json()


def change_incident(client: TestClient, practice: PracticeFixture, incident: dict[str, Any], **changes: Any) -> Any:
    headers = auth_headers(practice, If_Match=f'"{incident["version"]}"')
    return client.patch(f"{V1}/incidents/{incident['id']}", json=changes, headers=headers)


def respond(client: TestClient, practice: PracticeFixture, incident: dict[str, Any], **body: Any) -> Any:
    return client.post(f"{V1}/incidents/{incident['id']}/respond", json=body, headers=auth_headers(practice))


def record_notice(
    client: TestClient, practice: PracticeFixture, incident: dict[str, Any], recipients: str, on: str = "2026-02-01"
) -> Any:
    (notice,) = [notice for notice in incident["notices"] if notice["recipients"] == recipients]
    url = f"{V1}/incidents/{incident['id']}/notices/{notice['id']}/sent"
    return client.post(url, json={"sent_on": on}, headers=auth_headers(practice))


def list_incidents(client: TestClient, practice: PracticeFixture, **query: Any) -> list[str]:
    items = assert_ok(client.get(f"{V1}/incidents", params=query, headers=auth_headers(practice)))["items"]
    return [item["id"] for item in items]


def due_dates(incident: dict[str, Any]) -> dict[str, str]:
    return {notice["recipients"]: notice["due_on"] for notice in incident["notices"]}


def test_an_incident_is_reported_responded_to_and_closed(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice, practice.add("analyst"), people_affected=500)
    assert due_dates(incident) == dict.fromkeys(("INDIVIDUALS", "AUTHORITY", "MEDIA"), "2026-03-16")
    assert incident["status"] == "OPEN"
    responded_incident = assert_ok(respond(client, practice, incident))
    assert (responded_incident["status"], responded_incident["responded_at"]) == ("NOTICES_DUE", "2026-03-18T15:30:00Z")
    for recipients, status in (("MEDIA", "NOTICES_DUE"), ("AUTHORITY", "NOTICES_DUE"), ("INDIVIDUALS", "CLOSED")):
        notified = assert_ok(record_notice(client, practice, incident, recipients))
        assert notified["status"] == status
    assert notified["version"] == responded_incident["version"] + 3
    read = client.get(f"{V1}/incidents/{incident['id']}", headers=auth_headers(practice))
    assert assert_ok(read) == notified
    assert read.headers["ETag"] == f'"{notified["version"]}"'


def test_reporting_an_incident_does_not_allow_reading_any(client: TestClient, practice: PracticeFixture) -> None:
    scheduler = practice.add("scheduler")
    incident = report(client, practice, scheduler)
    for path in ("", f"/{incident['id']}"):
        assert client.get(f"{V1}/incidents{path}", headers=auth_headers(practice, scheduler)).status_code == 403
    headers = auth_headers(practice, scheduler, If_Match='"1"')
    assert client.patch(f"{V1}/incidents/{incident['id']}", json={}, headers=headers).status_code == 403


def test_notices_follow_the_number_of_people_affected(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice)
    assert due_dates(incident) == {}
    incident = assert_ok(change_incident(client, practice, incident, people_affected=3))
    assert due_dates(incident) == {"INDIVIDUALS": "2026-03-16", "AUTHORITY": "2026-03-16"}
    assert_ok(record_notice(client, practice, incident, "AUTHORITY"))
    incident = assert_ok(client.get(f"{V1}/incidents/{incident['id']}", headers=auth_headers(practice)))
    incident = assert_ok(
        change_incident(client, practice, incident, people_affected=600, detected_at="2026-01-20T15:00:00Z")
    )
    assert due_dates(incident) == {"AUTHORITY": "2026-03-16", "INDIVIDUALS": "2026-03-21", "MEDIA": "2026-03-21"}
    incident = assert_ok(change_incident(client, practice, incident, people_affected=0))
    assert due_dates(incident) == {"AUTHORITY": "2026-03-16"}  # it was sent
    incident = assert_ok(change_incident(client, practice, incident, people_affected=1))
    assert set(due_dates(incident)) == {"AUTHORITY", "INDIVIDUALS"}
    assert assert_ok(respond(client, practice, incident))["status"] == "NOTICES_DUE"


def test_the_notice_period_is_a_setting_from_a_date_on(client: TestClient, practice: PracticeFixture) -> None:
    setting = {"value": 30, "effective_on": "2026-03-20"}
    client.post(f"{V1}/settings/incident_notice_days", json=setting, headers=auth_headers(practice))
    practice.now = set_clock(client, timedelta(days=10))
    before = report(client, practice, detected_at="2026-03-19T15:00:00Z", people_affected=1)
    since = report(client, practice, detected_at="2026-03-20T15:00:00Z", people_affected=1)
    assert (due_dates(before)["AUTHORITY"], due_dates(since)["AUTHORITY"]) == ("2026-05-18", "2026-04-19")


def test_the_list_filters_by_open_and_closed(client: TestClient, practice: PracticeFixture) -> None:
    incidents = {}
    for people in (None, 0, 1, 500):
        for responded in (False, True):
            for notified in ((), ("INDIVIDUALS", "AUTHORITY"), ("INDIVIDUALS", "AUTHORITY", "MEDIA")):
                incident = report(client, practice, people_affected=people)
                for recipients in set(notified) & set(due_dates(incident)):
                    assert_ok(record_notice(client, practice, incident, recipients))
                if responded:
                    assert_ok(respond(client, practice, incident))
                incidents[incident["id"]] = assert_ok(
                    client.get(f"{V1}/incidents/{incident['id']}", headers=auth_headers(practice))
                )
    closed = {name for name, incident in incidents.items() if incident["status"] == "CLOSED"}
    assert len(closed) == 6
    assert set(list_incidents(client, practice, status="closed", limit=100)) == closed
    assert set(list_incidents(client, practice, status="open", limit=100)) == set(incidents) - closed
    items = assert_ok(client.get(f"{V1}/incidents", params={"limit": 100}, headers=auth_headers(practice)))["items"]
    for item in items:
        assert item | {"summary": "A phone in a taxi"} == incidents[item["id"]]
        assert "summary" not in item


def test_the_list_filters_by_local_dates_of_detection(client: TestClient, practice: PracticeFixture) -> None:
    evening = report(client, practice)["id"]
    next_day = report(client, practice, detected_at="2026-01-16T05:00:00Z")["id"]
    assert list_incidents(client, practice, **{"from": "2026-01-15", "to": "2026-01-15"}) == [evening]
    assert list_incidents(client, practice, **{"from": "2026-01-16"}) == [next_day]
    assert list_incidents(client, practice, to="2026-01-16") == [next_day, evening]
    assert list_incidents(client, practice, **{"from": "2026-01-17"}) == []
    assert list_incidents(client, practice, to="2199-12-31") == [next_day, evening]


def test_each_step_happens_once(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice, people_affected=1)
    assert_ok(respond(client, practice, incident))
    answer = respond(client, practice, incident)
    assert (answer.status_code, error_code(answer)) == (409, "ALREADY_RESPONDED")
    assert_ok(record_notice(client, practice, incident, "AUTHORITY"))
    answer = record_notice(client, practice, incident, "AUTHORITY")
    assert (answer.status_code, error_code(answer)) == (409, "NOTICE_SENT")
    assert change_incident(client, practice, incident, kind="OTHER").status_code == 412
    other = report(client, practice, people_affected=1)
    assert (
        record_notice(client, practice, {"id": other["id"], "notices": incident["notices"]}, "AUTHORITY").status_code
        == 404
    )


@pytest.mark.parametrize("detected_at", ["2026-03-18T15:30:01Z", "0001-01-01T00:00:00Z", "2026-01-16T04:30:00"])
def test_the_detection_is_in_the_past(client: TestClient, practice: PracticeFixture, detected_at: str) -> None:
    body = {"kind": "OTHER", "detected_at": detected_at, "summary": "x"}
    assert client.post(f"{V1}/incidents", json=body, headers=auth_headers(practice)).status_code == 422
    incident = report(client, practice)
    assert change_incident(client, practice, incident, detected_at=detected_at).status_code == 422


def test_response_and_notices_are_between_the_detection_and_now(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice, people_affected=1)
    for detected_at in ("2026-01-16T04:29:59Z", "2026-03-18T15:30:01Z"):
        assert respond(client, practice, incident, responded_at=detected_at).status_code == 422
    assert assert_ok(respond(client, practice, incident, responded_at=LATE_EVENING))["responded_at"] == LATE_EVENING
    for day, status in (("2026-01-14", 422), ("2026-03-19", 422), ("2026-01-15", 200)):
        assert record_notice(client, practice, incident, "AUTHORITY", day).status_code == status
    assert record_notice(client, practice, incident, "INDIVIDUALS", "2026-03-18").status_code == 200


def test_a_voided_incident_is_not_listed_and_stays_on_record(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice)
    url = f"{V1}/incidents/{incident['id']}"
    assert client.delete(url, headers=auth_headers(practice)).status_code == 422
    assert void(client, url, auth_headers(practice)).status_code == 204
    assert client.get(url, headers=auth_headers(practice)).status_code == 404
    assert list_incidents(client, practice) == []
    assert list_incidents(client, practice, voided=True) == [incident["id"]]


def test_the_summary_is_sealed_in_the_database_and_not_in_the_audit_log(
    client: TestClient, practice: PracticeFixture
) -> None:
    incident = report(client, practice)
    assert_ok(change_incident(client, practice, incident, summary="It was stolen from the taxi"))
    with practice.installation.store.begin_session(practice.id) as db:
        assert b"taxi" not in db.scalar(text("select summary from incidents where id = :id"), {"id": incident["id"]})
    log = assert_ok(client.get(f"{V1}/audit", params={"subject_id": incident["id"]}, headers=auth_headers(practice)))[
        "items"
    ]
    assert [entry["action"] for entry in log] == ["incident.changed", "incident.reported"]
    assert "taxi" not in str(log)
