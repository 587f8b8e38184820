"""Supervision sessions over HTTP: records, changes, signatures, access, and monthly hours."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from practice.clinical.models.supervision import SupervisionSession
from practice.people.models.practices import Staff
from practice.store.ids import new_id
from tests.support.builders.people import NOW, Person, PracticeFixture
from tests.support.builders.schedule import put
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import assert_invalid, assert_ok, error_code
from tests.support.harness import cluster

HELD = NOW - timedelta(days=2)


class Team:
    """A supervisor with two clinicians, an LPC and an LMSW, and a clinician of another team."""

    def __init__(self, http: TestClient, practice: PracticeFixture) -> None:
        self.http, self.practice = http, practice
        self.supervisor = practice.add("supervisor")
        self.other = practice.add("supervisor")
        self.ann = practice.add("clinician", supervisor=self.supervisor)
        self.ben = practice.add("clinician", supervisor=self.supervisor)
        self.stranger = practice.add("clinician", supervisor=self.other)
        self.update_staff(self.ann, license_type="LPC")
        self.update_staff(self.ben, license_type="LMSW")

    def update_staff(self, person: Person, **body: Any) -> None:
        with self.practice.installation.store.begin_session(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(**body))

    def get(self, path: str, by: Person | None = None) -> Any:
        return send_request(self.http, self.practice, "GET", path, by)

    def post_session(self, *people: Person, by: Person | None = None, **fields: Any) -> Any:
        body = {"supervisee_ids": [str(person.staff_id) for person in people], "hours": "1.5"}
        body |= {"kind": "GROUP" if len(people) > 1 else "INDIVIDUAL", "held_at": HELD.isoformat()}
        return send_request(
            self.http, self.practice, "POST", "/supervision-sessions", by or self.supervisor, body | fields
        )

    def record_session(self, *people: Person, **fields: Any) -> dict[str, Any]:
        (session,) = assert_ok(self.post_session(*people, **fields), 201)["items"]
        return session

    def change(self, session: dict[str, Any], by: Person | None = None, **changes: Any) -> Any:
        match = {"If_Match": f'"{session["version"]}"'}
        path = f"/supervision-sessions/{session['id']}"
        return send_request(self.http, self.practice, "PATCH", path, by or self.supervisor, changes, **match)

    def sign(self, session: dict[str, Any], by: Person | None = None) -> Any:
        path = f"/supervision-sessions/{session['id']}/sign"
        return send_request(self.http, self.practice, "POST", path, by or self.supervisor)

    def void(self, session: dict[str, Any], by: Person | None = None) -> Any:
        path = f"/supervision-sessions/{session['id']}"
        return send_request(
            self.http, self.practice, "DELETE", path, by or self.supervisor, {"reason": "Entered twice"}
        )

    def list_sessions(self, by: Person | None = None, query: str = "") -> list[str]:
        return [item["id"] for item in assert_ok(self.get(f"/supervision-sessions?limit=100{query}", by))["items"]]

    def read_hours(self, person: Person, month: str = "2026-03") -> tuple[str, int | None, str]:
        hours = assert_ok(self.get(f"/staff/{person.staff_id}/supervision-hours?month={month}"))
        return hours["held"], hours["required"], hours["missing"]

    def put(self, person: Person, held_at: datetime, hours: str = "1.00", **fields: Any) -> None:
        row = SupervisionSession(
            id=new_id(),
            supervisee_id=person.staff_id,
            supervisor_id=self.supervisor.staff_id,
            held_at=held_at,
            hours=Decimal(hours),
            kind="INDIVIDUAL",
            topics=[],
            **fields,
        )
        put(self.practice, row)


@pytest.fixture
def team(client: TestClient, practice: PracticeFixture) -> Team:
    return Team(client, practice)


def test_a_session_is_recorded_and_read(team: Team) -> None:
    session = team.record_session(team.ann, topics=["ethics", "risk"], note="Talked about boundaries.")
    assert (session["hours"], session["kind"], session["topics"]) == ("1.50", "INDIVIDUAL", ["ethics", "risk"])
    assert session["supervisor_id"] == str(team.supervisor.staff_id)
    assert "note" not in session
    stored = assert_ok(team.get(f"/supervision-sessions/{session['id']}", team.supervisor))
    assert stored == session | {"note": "Talked about boundaries."}
    assert team.read_hours(team.ann) == ("1.50", 2, "0.50")
    for action in ("supervision.recorded", "supervision.read"):
        assert len(load_audit_entries(team.http, team.practice, action, team.ann.staff_id)) == 1


def test_a_group_records_a_session_per_supervisee(team: Team) -> None:
    sessions = assert_ok(team.post_session(team.ann, team.ben, note="All of us."), 201)["items"]
    assert {item["supervisee_id"] for item in sessions} == {str(team.ann.staff_id), str(team.ben.staff_id)}
    assert {item["kind"] for item in sessions} == {"GROUP"}
    assert [team.read_hours(item)[0] for item in (team.ann, team.ben)] == ["1.50", "1.50"]
    own = next(item for item in sessions if item["supervisee_id"] == str(team.ann.staff_id))
    assert assert_ok(team.get(f"/supervision-sessions/{own['id']}", team.ann))["note"] == "All of us."


def test_all_problems_are_reported_together_and_nothing_is_stored(team: Team) -> None:
    later = (NOW + timedelta(minutes=1)).isoformat()
    problems = assert_invalid(team.post_session(team.stranger, team.supervisor, kind="INDIVIDUAL", held_at=later))
    fragments = [
        "individual",
        "themselves",
        "item 1: Person 1 is not on the staff",
        "item 2: Person 2 is not a clinician",
        "in the future",
    ]
    assert len(problems) == len(fragments)
    assert all(fragment in problem for fragment, problem in zip(fragments, problems, strict=True))
    for wrong in ({"hours": "0"}, {"hours": "12.01"}, {"hours": "1.005"}, {"kind": "PAIR"}, {"topics": [""]}):
        assert team.post_session(team.ann, **wrong).status_code == 422
    assert team.post_session().status_code == 422
    assert team.post_session(*[team.ann] * 21).status_code == 422
    assert team.list_sessions() == []


def test_an_hour_is_recorded_once(team: Team) -> None:
    session = team.record_session(team.ann)
    again = team.post_session(team.ben, team.ann)
    assert (again.status_code, error_code(again)) == (409, "SUPERVISION_EXISTS")
    assert team.list_sessions() == [session["id"]]
    later = team.record_session(team.ann, held_at=(HELD + timedelta(hours=2)).isoformat())
    moved = team.change(later, held_at=HELD.isoformat())
    assert (moved.status_code, error_code(moved)) == (409, "SUPERVISION_EXISTS")
    assert team.void(session).status_code == 204
    assert_ok(team.change(later, held_at=HELD.isoformat()))


def test_sessions_of_a_supervisee_do_not_overlap(team: Team) -> None:
    team.record_session(team.ann, held_at=HELD.isoformat(), hours="1.5")
    for minutes, hours in ((1, "1.5"), (89, "0.25"), (-30, "0.51"), (-60, "4")):
        answer = team.post_session(team.ann, held_at=(HELD + timedelta(minutes=minutes)).isoformat(), hours=hours)
        assert (answer.status_code, error_code(answer)) == (409, "SUPERVISION_EXISTS")
    before = team.record_session(team.ann, held_at=(HELD - timedelta(minutes=30)).isoformat(), hours="0.5")
    after = team.record_session(team.ann, held_at=(HELD + timedelta(minutes=90)).isoformat())
    longer = team.change(before, hours="0.51")
    earlier = team.change(after, held_at=(HELD + timedelta(minutes=89)).isoformat())
    for answer in (longer, earlier):
        assert (answer.status_code, error_code(answer)) == (409, "SUPERVISION_EXISTS")
    assert_ok(team.change(after, hours="2"))
    assert len(team.list_sessions()) == 3


def test_a_supervisor_holds_one_individual_session_at_a_time(team: Team) -> None:
    individual = team.record_session(team.ann, held_at=HELD.isoformat(), hours="1.5")
    end = (HELD + timedelta(minutes=90)).isoformat()
    carl = team.practice.add("clinician", supervisor=team.supervisor)
    for people in ([team.ben], [team.ben, carl]):
        answer = team.post_session(*people, held_at=(HELD + timedelta(minutes=30)).isoformat())
        assert (answer.status_code, error_code(answer)) == (409, "SUPERVISION_EXISTS")
        assert "The supervisor already has a session" in answer.json()["error"]["message"]
    team.record_session(team.stranger, by=team.other, held_at=HELD.isoformat())  # another supervisor
    after = team.record_session(team.ben, held_at=end)
    assert error_code(team.change(after, held_at=HELD.isoformat())) == "SUPERVISION_EXISTS"
    assert error_code(team.change(individual, hours="1.51")) == "SUPERVISION_EXISTS"
    assert team.void(individual).status_code == 204
    assert_ok(team.change(after, held_at=HELD.isoformat()))


def test_supervisees_of_one_group_are_recorded_and_changed_one_by_one(team: Team) -> None:
    first = team.record_session(team.ann, kind="GROUP")
    second = team.record_session(team.ben, kind="GROUP")
    assert error_code(team.post_session(team.practice.add("clinician", supervisor=team.supervisor))) == (
        "SUPERVISION_EXISTS"
    )
    for session in (first, second):
        assert_ok(team.change(session, held_at=(HELD + timedelta(minutes=15)).isoformat()))


def test_a_session_is_recorded_when_it_has_ended(team: Team) -> None:
    assert "end in the future" in assert_invalid(team.post_session(team.ann, held_at=NOW.isoformat()))[0]
    session = team.record_session(team.ann, held_at=(NOW - timedelta(minutes=90)).isoformat())
    assert "end in the future" in assert_invalid(team.change(session, hours="1.51"))[0]
    later = (NOW - timedelta(minutes=89)).isoformat()
    assert "end in the future" in assert_invalid(team.change(session, held_at=later))[0]


def test_hours_say_how_many_are_unsigned(team: Team) -> None:
    signed = team.record_session(team.ann, note="Talked about boundaries.")
    team.record_session(team.ann, held_at=(HELD + timedelta(hours=2)).isoformat(), hours="0.25")
    assert_ok(team.sign(signed))
    for path in (f"/staff/{team.ann.staff_id}/supervision-hours", "/supervision-sessions/hours"):
        answer = assert_ok(team.get(f"{path}?month=2026-03"))
        hours = next((item for item in answer["items"] if item["held"] != "0.00"), {}) if "items" in answer else answer
        assert (hours["held"], hours["unsigned"], hours["missing"]) == ("1.75", "0.25", "0.25")
    assert assert_ok(team.get(f"/staff/{team.ben.staff_id}/supervision-hours"))["unsigned"] == "0.00"


def test_supervisors_record_sessions_of_their_team_and_admins_any_session(team: Team) -> None:
    assert "not on your team" in assert_invalid(team.post_session(team.stranger))[0]
    response = team.post_session(team.ann, supervisor_id=str(team.other.staff_id))
    assert "supervisor_id: You can only record" in assert_invalid(response)[0]
    admin = team.practice.admin
    assert "Name the supervisor who held" in assert_invalid(team.post_session(team.ann, by=admin))[0]
    not_a_supervisor = team.post_session(team.ann, by=admin, supervisor_id=str(team.ben.staff_id))
    assert "Name the supervisor who held" in assert_invalid(not_a_supervisor)[0]
    session = team.record_session(team.stranger, by=admin, supervisor_id=str(team.other.staff_id))
    assert session["supervisor_id"] == str(team.other.staff_id)
    for role in ("clinician", "scheduler", "biller"):
        assert team.post_session(team.ann, by=team.practice.add(role)).status_code == 403


def test_staff_cannot_record_their_own_supervision(team: Team) -> None:
    admin_clinician = team.practice.add("admin", "clinician", supervisor=team.supervisor)
    refused = team.post_session(admin_clinician, by=admin_clinician, supervisor_id=str(team.supervisor.staff_id))
    assert "Your own supervision" in assert_invalid(refused)[0]
    session = team.record_session(admin_clinician)
    for answer in (
        team.change(session, admin_clinician, hours="9"),
        team.void(session, admin_clinician),
        team.sign(session, admin_clinician),
    ):
        assert (answer.status_code, error_code(answer)) == (403, "NOT_YOURS")


def test_a_session_can_be_changed_until_its_supervisor_signs_the_note(team: Team) -> None:
    session = team.record_session(team.ann)
    empty = team.sign(session)
    assert (empty.status_code, error_code(empty)) == (409, "NOTE_EMPTY")
    changed = assert_ok(team.change(session, hours="2.25", topics=["grief"], note="Talked about grief."))
    assert (changed["hours"], changed["topics"], changed["note"]) == ("2.25", ["grief"], "Talked about grief.")
    assert team.change(session, hours="1").status_code == 412
    assert "future" in assert_invalid(team.change(changed, held_at=(NOW + timedelta(days=1)).isoformat()))[0]
    assert "not employed" in assert_invalid(team.change(changed, held_at="2024-12-31T15:00:00Z"))[0]
    for by in (team.practice.admin, team.practice.add("admin", "supervisor")):
        assert error_code(team.sign(changed, by)) == "NOT_YOURS"
    signed = assert_ok(team.sign(changed))
    assert (signed["note_signed_at"], signed["note"]) == ("2026-03-18T15:30:00Z", "Talked about grief.")
    for again in (team.sign(signed), team.change(signed, hours="1"), team.change(signed, team.practice.admin, note="")):
        assert again.status_code in (409, 422)
    assert error_code(team.sign(signed)) == error_code(team.change(signed, hours="1")) == "SUPERVISION_SIGNED"
    assert team.read_hours(team.ann) == ("2.25", 2, "0.00")
    assert team.void(signed).status_code == 204
    assert team.read_hours(team.ann) == ("0.00", 2, "2.00")
    assert team.get(f"/supervision-sessions/{signed['id']}").status_code == 404


def test_sessions_are_visible_to_those_concerned(team: Team) -> None:
    ann = team.record_session(team.ann, note="About Ann.")
    ben = team.record_session(team.ben, held_at=(HELD - timedelta(hours=2)).isoformat())
    stranger = team.record_session(team.stranger, by=team.other)
    assert set(team.list_sessions()) == {ann["id"], ben["id"], stranger["id"]}
    assert set(team.list_sessions(team.supervisor)) == {ann["id"], ben["id"]}
    assert team.list_sessions(team.ann) == [ann["id"]]
    assert team.list_sessions(team.stranger) == [stranger["id"]]
    assert assert_ok(team.get(f"/supervision-sessions/{ann['id']}", team.ann))["note"] == "About Ann."
    for by in (team.ben, team.other):
        assert team.get(f"/supervision-sessions/{ann['id']}", by).status_code == 404
    assert team.change(ann, team.other, hours="1").status_code == 404
    for role in ("scheduler", "biller", "analyst"):
        assert team.get("/supervision-sessions", team.practice.add(role)).status_code == 403
    assert team.change(ann, team.ann, hours="9").status_code == 403


def test_the_supervisor_of_a_session_signs_it_after_a_team_change(team: Team) -> None:
    session = team.record_session(team.ann, note="Before she changed.")
    team.update_staff(team.ann, supervisor_id=team.other.staff_id)
    assert team.list_sessions(team.supervisor) == team.list_sessions(team.other) == [session["id"]]
    assert error_code(team.sign(session, team.other)) == "NOT_YOURS"
    assert error_code(team.change(session, team.other, hours="3")) == "NOT_YOURS"
    assert_ok(team.sign(session))
    assert "not on your team" in assert_invalid(team.post_session(team.ann, held_at=NOW.isoformat()))[0]


def test_sessions_are_listed_by_people_dates_and_signature(team: Team) -> None:
    first = team.record_session(
        team.ann, held_at="2026-03-02T04:59:00Z", hours="0.01", note="On the first, at 23:59 in New York."
    )
    second = team.record_session(team.ann, held_at="2026-03-02T05:00:00Z")
    third = team.record_session(team.ben, held_at="2026-03-10T15:00:00Z")
    assert_ok(team.sign(first))
    assert team.list_sessions() == [third["id"], second["id"], first["id"]]
    assert team.list_sessions(query="&to=2026-03-01") == [first["id"]]
    assert team.list_sessions(query="&from=2026-03-02&to=2026-03-02") == [second["id"]]
    assert team.list_sessions(query="&signed=true") == [first["id"]]
    assert team.list_sessions(query=f"&supervisee_id={team.ben.staff_id}") == [third["id"]]
    assert team.list_sessions(query=f"&supervisor_id={team.other.staff_id}") == []
    assert team.void(third).status_code == 204
    assert team.list_sessions(query="&signed=false") == [second["id"]]
    assert team.list_sessions(query="&signed=false&voided=true") == [third["id"], second["id"]]


def test_the_note_of_a_session_is_sealed(team: Team) -> None:
    session = team.record_session(team.ann, note="Canary of a session")
    with cluster.connect_as_superuser(team.practice.installation.store.database) as connection:
        stored = connection.execute("select note from supervision_sessions where id = %s", (session["id"],)).fetchone()
    assert stored is not None
    assert b"Canary" not in bytes(stored[0])


# Hours


def test_hours_belong_to_the_month_of_their_local_date(team: Team) -> None:
    team.put(team.ann, datetime.fromisoformat("2026-03-01T04:59:59Z"), "0.25")  # still February in New York
    team.put(team.ann, datetime.fromisoformat("2026-03-01T05:00:00Z"), "0.50")
    team.put(team.ann, datetime.fromisoformat("2026-02-01T05:00:00Z"), "1.25")
    team.put(team.ann, datetime.fromisoformat("2026-03-05T15:00:00Z"), "4.00", voided_at=NOW)
    assert team.read_hours(team.ann, "2026-02") == ("1.50", 2, "0.50")
    assert team.read_hours(team.ann, "2026-03") == ("0.50", 2, "1.50")
    assert team.read_hours(team.ann, "2026-01") == ("0.00", 2, "2.00")
    assert team.read_hours(team.ben, "2026-03") == ("0.00", 4, "4.00")
    assert team.read_hours(team.stranger) == ("0.00", None, "0.00")
    current = assert_ok(team.get(f"/staff/{team.ann.staff_id}/supervision-hours"))
    assert (current["month"], current["held"]) == ("2026-03", "0.50")


def test_hours_are_required_for_full_months_of_employment(team: Team) -> None:
    team.update_staff(team.ann, hired_on=date(2026, 1, 2), left_on=date(2026, 3, 1))
    required = [team.read_hours(team.ann, month)[1] for month in ("2026-01", "2026-02", "2026-03")]
    assert required == [None, 2, None]


def test_changed_required_hours_do_not_affect_past_months(team: Team) -> None:
    body = {"value": 3, "effective_on": "2026-03-18"}
    assert_ok(send_request(team.http, team.practice, "POST", "/settings/supervision_hours_lpc", None, body), 201)
    assert team.read_hours(team.ann, "2026-03")[1] == 3
    assert team.read_hours(team.ann, "2026-02")[1] == 2


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "march", "1899-12", "2026-03-01"])
def test_an_invalid_month_is_refused(team: Team, month: str) -> None:
    assert team.get(f"/staff/{team.ann.staff_id}/supervision-hours?month={month}").status_code == 422


def test_hours_are_visible_to_those_concerned(team: Team) -> None:
    path = f"/staff/{team.ann.staff_id}/supervision-hours"
    for by in (None, team.supervisor, team.ann):
        assert_ok(team.get(path, by))
    for by in (team.ben, team.other):
        assert team.get(path, by).status_code == 404
    assert team.get(path, team.practice.add("biller")).status_code == 403


def test_monthly_hours_start_with_the_most_missing(team: Team) -> None:
    team.record_session(team.ben, hours="3")
    former = team.practice.add("clinician", supervisor=team.supervisor)
    team.update_staff(former, left_on=date(2026, 3, 1))

    def hours(by: Person | None = None) -> list[tuple[str, str]]:
        items = assert_ok(team.get("/supervision-sessions/hours?month=2026-03", by))["items"]
        return [(item["staff_id"], item["missing"]) for item in items]

    team_hours = [(str(team.ann.staff_id), "2.00"), (str(team.ben.staff_id), "1.00")]
    assert hours(team.supervisor) == team_hours
    assert hours() == [*team_hours, (str(team.stranger.staff_id), "0.00")]
    assert hours(team.ben) == team_hours[1:]
