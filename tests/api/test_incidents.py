"""Incidents over HTTP: reported by anybody, handled by an admin, closed when all were told."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.support.builders.people import Person, PracticeFixture
from tests.support.drivers.http import V1, bearer, code_of
from tests.support.drivers.sign_in_flow import move, ok

LATE_EVENING = "2026-01-16T04:30:00Z"  # still the 15th in New York


def report(client: TestClient, practice: PracticeFixture, by: Person | None = None, **more: Any) -> dict[str, Any]:
    body = {"kind": "LOST_DEVICE", "detected_at": LATE_EVENING, "summary": "A phone in a taxi"} | more
    answer = client.post(f"{V1}/incidents", json=body, headers=bearer(practice, by))
    assert answer.status_code == 201, answer.text
    return answer.json()


def change(client: TestClient, practice: PracticeFixture, incident: dict[str, Any], **changes: Any) -> Any:
    headers = bearer(practice, If_Match=f'"{incident["version"]}"')
    return client.patch(f"{V1}/incidents/{incident['id']}", json=changes, headers=headers)


def respond(client: TestClient, practice: PracticeFixture, incident: dict[str, Any], **body: Any) -> Any:
    return client.post(f"{V1}/incidents/{incident['id']}/respond", json=body, headers=bearer(practice))


def tell(
    client: TestClient, practice: PracticeFixture, incident: dict[str, Any], recipients: str, on: str = "2026-02-01"
) -> Any:
    (notice,) = [notice for notice in incident["notices"] if notice["recipients"] == recipients]
    url = f"{V1}/incidents/{incident['id']}/notices/{notice['id']}/sent"
    return client.post(url, json={"sent_on": on}, headers=bearer(practice))


def listed(client: TestClient, practice: PracticeFixture, **query: Any) -> list[str]:
    items = ok(client.get(f"{V1}/incidents", params=query, headers=bearer(practice)))["items"]
    return [item["id"] for item in items]


def due(incident: dict[str, Any]) -> dict[str, str]:
    return {notice["recipients"]: notice["due_on"] for notice in incident["notices"]}


def test_an_incident_goes_from_a_report_to_everybody_told(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice, practice.add("analyst"), people_affected=500)
    assert due(incident) == dict.fromkeys(("INDIVIDUALS", "AUTHORITY", "MEDIA"), "2026-03-16")
    assert incident["status"] == "OPEN"
    answered = ok(respond(client, practice, incident))
    assert (answered["status"], answered["responded_at"]) == ("NOTICES_DUE", "2026-03-18T15:30:00Z")
    for recipients, status in (("MEDIA", "NOTICES_DUE"), ("AUTHORITY", "NOTICES_DUE"), ("INDIVIDUALS", "CLOSED")):
        told = ok(tell(client, practice, incident, recipients))
        assert told["status"] == status
    assert told["version"] == answered["version"] + 3
    read = client.get(f"{V1}/incidents/{incident['id']}", headers=bearer(practice))
    assert ok(read) == told
    assert read.headers["ETag"] == f'"{told["version"]}"'


def test_who_reports_an_incident_sees_that_one_and_no_other(client: TestClient, practice: PracticeFixture) -> None:
    desk = practice.add("scheduler")
    incident = report(client, practice, desk)
    for path in ("", f"/{incident['id']}"):
        assert client.get(f"{V1}/incidents{path}", headers=bearer(practice, desk)).status_code == 403
    headers = bearer(practice, desk, If_Match='"1"')
    assert client.patch(f"{V1}/incidents/{incident['id']}", json={}, headers=headers).status_code == 403


def test_notices_follow_what_becomes_known(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice)
    assert due(incident) == {}
    incident = ok(change(client, practice, incident, people_affected=3))
    assert due(incident) == {"INDIVIDUALS": "2026-03-16", "AUTHORITY": "2026-03-16"}
    ok(tell(client, practice, incident, "AUTHORITY"))
    incident = ok(client.get(f"{V1}/incidents/{incident['id']}", headers=bearer(practice)))
    incident = ok(change(client, practice, incident, people_affected=600, detected_at="2026-01-20T15:00:00Z"))
    assert due(incident) == {"AUTHORITY": "2026-03-16", "INDIVIDUALS": "2026-03-21", "MEDIA": "2026-03-21"}
    incident = ok(change(client, practice, incident, people_affected=0))
    assert due(incident) == {"AUTHORITY": "2026-03-16"}  # it was sent
    incident = ok(change(client, practice, incident, people_affected=1))
    assert set(due(incident)) == {"AUTHORITY", "INDIVIDUALS"}
    assert ok(respond(client, practice, incident))["status"] == "NOTICES_DUE"


def test_the_days_until_people_are_told_are_a_setting_from_a_date_on(
    client: TestClient, practice: PracticeFixture
) -> None:
    setting = {"value": 30, "effective_on": "2026-03-20"}
    client.post(f"{V1}/settings/incident_notice_days", json=setting, headers=bearer(practice))
    practice.now = move(client, timedelta(days=10))
    before = report(client, practice, detected_at="2026-03-19T15:00:00Z", people_affected=1)
    since = report(client, practice, detected_at="2026-03-20T15:00:00Z", people_affected=1)
    assert (due(before)["AUTHORITY"], due(since)["AUTHORITY"]) == ("2026-05-18", "2026-04-19")


def test_the_list_is_of_open_or_closed_ones_as_their_status_says(client: TestClient, practice: PracticeFixture) -> None:
    made = {}
    for people in (None, 0, 1, 500):
        for responded in (False, True):
            for told in ((), ("INDIVIDUALS", "AUTHORITY"), ("INDIVIDUALS", "AUTHORITY", "MEDIA")):
                incident = report(client, practice, people_affected=people)
                for recipients in set(told) & set(due(incident)):
                    ok(tell(client, practice, incident, recipients))
                if responded:
                    ok(respond(client, practice, incident))
                made[incident["id"]] = ok(client.get(f"{V1}/incidents/{incident['id']}", headers=bearer(practice)))
    closed = {name for name, incident in made.items() if incident["status"] == "CLOSED"}
    assert len(closed) == 6
    assert set(listed(client, practice, state="closed", limit=100)) == closed
    assert set(listed(client, practice, state="open", limit=100)) == set(made) - closed
    items = ok(client.get(f"{V1}/incidents", params={"limit": 100}, headers=bearer(practice)))["items"]
    for item in items:
        assert item | {"summary": "A phone in a taxi"} == made[item["id"]]
        assert "summary" not in item


def test_the_list_goes_by_local_dates_of_detection(client: TestClient, practice: PracticeFixture) -> None:
    evening = report(client, practice)["id"]
    next_day = report(client, practice, detected_at="2026-01-16T05:00:00Z")["id"]
    assert listed(client, practice, **{"from": "2026-01-15", "to": "2026-01-15"}) == [evening]
    assert listed(client, practice, **{"from": "2026-01-16"}) == [next_day]
    assert listed(client, practice, to="2026-01-16") == [next_day, evening]
    assert listed(client, practice, **{"from": "2026-01-17"}) == []
    assert listed(client, practice, to="2199-12-31") == [next_day, evening]


def test_what_was_done_is_done_once(client: TestClient, practice: PracticeFixture) -> None:
    incident = report(client, practice, people_affected=1)
    ok(respond(client, practice, incident))
    answer = respond(client, practice, incident)
    assert (answer.status_code, code_of(answer)) == (409, "ALREADY_RESPONDED")
    ok(tell(client, practice, incident, "AUTHORITY"))
    answer = tell(client, practice, incident, "AUTHORITY")
    assert (answer.status_code, code_of(answer)) == (409, "NOTICE_SENT")
    assert change(client, practice, incident, kind="OTHER").status_code == 412
    other = report(client, practice, people_affected=1)
    assert tell(client, practice, {"id": other["id"], "notices": incident["notices"]}, "AUTHORITY").status_code == 404


@pytest.mark.parametrize("moment", ["2026-03-18T15:30:01Z", "0001-01-01T00:00:00Z", "2026-01-16T04:30:00"])
def test_an_incident_was_detected_at_a_moment_that_has_passed(
    client: TestClient, practice: PracticeFixture, moment: str
) -> None:
    body = {"kind": "OTHER", "detected_at": moment, "summary": "x"}
    assert client.post(f"{V1}/incidents", json=body, headers=bearer(practice)).status_code == 422
    incident = report(client, practice)
    assert change(client, practice, incident, detected_at=moment).status_code == 422


def test_a_response_and_a_notice_lie_between_the_detection_and_now(
    client: TestClient, practice: PracticeFixture
) -> None:
    incident = report(client, practice, people_affected=1)
    for moment in ("2026-01-16T04:29:59Z", "2026-03-18T15:30:01Z"):
        assert respond(client, practice, incident, responded_at=moment).status_code == 422
    assert ok(respond(client, practice, incident, responded_at=LATE_EVENING))["responded_at"] == LATE_EVENING
    for day, status in (("2026-01-14", 422), ("2026-03-19", 422), ("2026-01-15", 200)):
        assert tell(client, practice, incident, "AUTHORITY", day).status_code == status
    assert tell(client, practice, incident, "INDIVIDUALS", "2026-03-18").status_code == 200


def test_a_voided_incident_is_gone_from_the_lists_and_stays_on_record(
    client: TestClient, practice: PracticeFixture
) -> None:
    incident = report(client, practice)
    url = f"{V1}/incidents/{incident['id']}"
    assert client.delete(url, headers=bearer(practice)).status_code == 422
    assert client.delete(url, params={"reason": "It was found"}, headers=bearer(practice)).status_code == 204
    assert client.get(url, headers=bearer(practice)).status_code == 404
    assert listed(client, practice) == []
    assert listed(client, practice, voided=True) == [incident["id"]]


def test_what_happened_stands_sealed_in_the_database_and_not_in_the_log(
    client: TestClient, practice: PracticeFixture
) -> None:
    incident = report(client, practice)
    ok(change(client, practice, incident, summary="It was stolen from the taxi"))
    with practice.installation.store.session_in(practice.id) as db:
        assert b"taxi" not in db.scalar(text("select summary from incidents where id = :id"), {"id": incident["id"]})
    log = ok(client.get(f"{V1}/audit", params={"subject_id": incident["id"]}, headers=bearer(practice)))["items"]
    assert [entry["action"] for entry in log] == ["incident.changed", "incident.reported"]
    assert "taxi" not in str(log)
