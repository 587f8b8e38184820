"""A practice's own name, zone and numbers over HTTP, and what a change of its zone leaves as it was."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from practice.people.practices import PracticeNotFound, find_practice
from tests.support.builders.people import Person, PracticeFixture, make_practice
from tests.support.builders.schedule import make_portal_client
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import assert_invalid, assert_ok, error_code
from tests.support.drivers.sessions import SessionsApi

SATURDAY_NIGHT = datetime(2026, 3, 15, 3, 30, tzinfo=UTC)  # 23:30 local, of the week that began on March 8


def read(client: TestClient, practice: PracticeFixture, by: Person | None = None) -> Any:
    return send_request(client, practice, "GET", "/practice", by)


def change(client: TestClient, practice: PracticeFixture, by: Person | None = None, **body: Any) -> Any:
    version = read(client, practice).headers["ETag"]
    return send_request(client, practice, "PATCH", "/practice", by, body, If_Match=version)


def test_an_admin_changes_name_zone_and_numbers(client: TestClient, practice: PracticeFixture) -> None:
    body = {"name": "Elm Street", "time_zone": "America/Chicago", "npi": "1234567893", "tax_id": "12-3456789"}
    assert_ok(change(client, practice, **body))
    shown = assert_ok(read(client, practice))
    assert {name: shown[name] for name in body} == body
    (step,) = shown["time_zone_changes"]
    assert (step["old_zone"], step["new_zone"]) == ("America/New_York", "America/Chicago")
    assert step["changed_by_person"]["name"] == "Ada Admin"
    (entry,) = load_audit_entries(client, practice, "practice.changed")
    assert entry["details"] == {"fields": sorted(body)}
    with practice.installation.store.begin_session(practice.id) as db:
        stored = db.scalar(text("select tax_id from practices where id = :id"), {"id": practice.id})
    assert b"3456789" not in stored


def test_all_staff_read_name_and_zone_but_only_admins_the_numbers(
    client: TestClient, practice: PracticeFixture
) -> None:
    assert_ok(change(client, practice, npi="1234567893", tax_id="12-3456789"))
    for role in ("supervisor", "clinician", "scheduler", "biller", "analyst"):
        person = practice.add(role)
        shown = assert_ok(read(client, practice, person))
        assert (shown["time_zone"], shown["npi"], shown["tax_id"]) == ("America/New_York", None, None)
        assert error_code(change(client, practice, person, name="Mine now")) == "FORBIDDEN"
    assert error_code(read(client, practice, make_portal_client(practice))) == "FORBIDDEN"


def test_an_invalid_change_is_refused_as_a_whole(client: TestClient, practice: PracticeFixture) -> None:
    problems = assert_invalid(change(client, practice, name="Elm Street", time_zone="Mars/Olympus", npi="1234567890"))
    assert len(problems) == 2
    assert assert_ok(read(client, practice))["name"] != "Elm Street"


def test_a_stale_change_is_refused(client: TestClient, practice: PracticeFixture) -> None:
    assert_ok(change(client, practice, name="Elm Street"))
    answer = send_request(client, practice, "PATCH", "/practice", None, {"name": "Oak Street"}, If_Match='"1"')
    assert answer.status_code == 412


def test_a_change_reaches_no_other_practice(client: TestClient, practice: PracticeFixture) -> None:
    other = make_practice(practice.installation)
    before = assert_ok(read(client, other))
    assert_ok(change(client, practice, name=before["name"], time_zone="America/Denver"))
    assert assert_ok(read(client, other)) == before


def test_a_renamed_practice_is_found_by_its_old_and_its_new_name(client: TestClient, practice: PracticeFixture) -> None:
    old = assert_ok(read(client, practice))["name"]
    new = f"Renamed {old}"
    assert_ok(change(client, practice, name=new))
    with practice.installation.store.begin_system_session() as db:
        assert find_practice(db, old).id == find_practice(db, new.upper()).id == practice.id
    twin = make_practice(practice.installation)
    assert_ok(change(client, twin, name=new))
    with practice.installation.store.begin_system_session() as db, pytest.raises(PracticeNotFound):
        find_practice(db, new)


def test_everybody_learns_who_and_where_they_are(client: TestClient, practice: PracticeFixture) -> None:
    assert_ok(change(client, practice, name="Elm Street", time_zone="America/Chicago"))
    analyst, person = practice.add("analyst"), make_portal_client(practice)
    for somebody, first_name in ((None, "Ada"), (analyst, "Robin"), (person, "Casey")):
        me = assert_ok(send_request(client, practice, "GET", "/auth/me", somebody))
        assert (me["practice_name"], me["time_zone"]) == ("Elm Street", "America/Chicago")
        assert me["name"].startswith(first_name)


def move_to_tokyo(api: SessionsApi) -> None:
    """Change the zone to one that is 13 hours ahead: on a Saturday night it is Sunday there."""
    headers = {"If-Match": '"1"'}
    assert_ok(api.request("PATCH", "/practice", json={"time_zone": "Asia/Tokyo"}, headers=headers))


def test_a_changed_zone_does_not_rewrite_the_past(client: TestClient, practice: PracticeFixture) -> None:
    api = SessionsApi(client, practice)
    api.now = datetime(2026, 3, 24, 12, tzinfo=UTC)  # the Tuesday after the deadline of that week
    on_time, late = (
        api.add_session(SATURDAY_NIGHT - timedelta(hours=hours), signed_at=signed_at)
        for hours, signed_at in ((0, datetime(2026, 3, 16, 3, tzinfo=UTC)), (5, datetime(2026, 3, 16, 5, tzinfo=UTC)))
    )
    unsigned = api.add_session(SATURDAY_NIGHT - timedelta(hours=9))
    report, weeks = f"/compliance/report/{api.clinician.staff_id}", {"from_": "2026-03-08", "to": "2026-03-08"}
    before = [api.read(session) for session in (on_time, late, unsigned)], api.get(report, **weeks).json()
    move_to_tokyo(api)
    after = [api.read(session) for session in (on_time, late, unsigned)], api.get(report, **weeks).json()
    assert after == before
    assert before[0][0]["payPeriodWeek"] == "2026-03-08"


def test_what_happens_after_the_change_follows_the_new_zone(client: TestClient, practice: PracticeFixture) -> None:
    api = SessionsApi(client, practice)
    move_to_tokyo(api)
    session = api.add_session(datetime(2026, 3, 28, 15, 30, tzinfo=UTC))  # 0:30 of the Sunday in Tokyo
    api.now = datetime(2026, 3, 29, 12, tzinfo=UTC)
    shown = api.read(session)
    assert (shown["sessionDate"], shown["payPeriodWeek"]) == ("2026-03-29", "2026-03-29")
    assert shown["noteDeadline"] == "2026-04-05T15:00:00Z"


def test_a_closed_week_and_the_one_after_it_pay_the_same(client: TestClient, practice: PracticeFixture) -> None:
    api = SessionsApi(client, practice)
    paid = api.add_session(SATURDAY_NIGHT - timedelta(days=7), signed_at=SATURDAY_NIGHT - timedelta(days=6))
    week, after_cut_off = date(2026, 3, 1), datetime(2026, 3, 24, 12, tzinfo=UTC)
    api.now = after_cut_off
    closed = assert_ok(api.request("POST", f"/pay/periods/{week}/close"))
    late = api.add_session(SATURDAY_NIGHT, signed_at=SATURDAY_NIGHT + timedelta(hours=3))
    preview = assert_ok(api.request("GET", "/pay/periods/2026-03-08"))
    move_to_tokyo(api)
    assert assert_ok(api.request("GET", f"/pay/periods/{week}")) == closed
    assert assert_ok(api.request("GET", "/pay/periods/2026-03-08")) == preview
    assert [line["appointment_id"] for line in closed["lines"]] == [str(paid)]
    assert [(line["appointment_id"], line["kind"]) for line in preview["lines"]] == [(str(late), "regular")]
