"""Supervision sessions over HTTP: put on record, changed, signed; who may; and the hours that they come to."""

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
from tests.support.drivers.clients import ask, good, problems, trail
from tests.support.drivers.http import code_of
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
        self.set(self.ann, license_type="LPC")
        self.set(self.ben, license_type="LMSW")

    def set(self, person: Person, **about: Any) -> None:
        with self.practice.installation.store.session_in(self.practice.id) as db:
            db.execute(update(Staff).where(Staff.id == person.staff_id).values(**about))

    def get(self, path: str, who: Person | None = None) -> Any:
        return ask(self.http, self.practice, "GET", path, who)

    def hold(self, *people: Person, by: Person | None = None, **more: Any) -> Any:
        about = {"supervisee_ids": [str(person.staff_id) for person in people], "hours": "1.5"}
        about |= {"kind": "GROUP" if len(people) > 1 else "INDIVIDUAL", "held_at": HELD.isoformat()}
        return ask(self.http, self.practice, "POST", "/supervision-sessions", by or self.supervisor, about | more)

    def held(self, *people: Person, **more: Any) -> dict[str, Any]:
        (session,) = good(self.hold(*people, **more), 201)["items"]
        return session

    def change(self, session: dict[str, Any], who: Person | None = None, **changes: Any) -> Any:
        match = {"If_Match": f'"{session["version"]}"'}
        path = f"/supervision-sessions/{session['id']}"
        return ask(self.http, self.practice, "PATCH", path, who or self.supervisor, changes, **match)

    def sign(self, session: dict[str, Any], who: Person | None = None) -> Any:
        path = f"/supervision-sessions/{session['id']}/sign"
        return ask(self.http, self.practice, "POST", path, who or self.supervisor)

    def void(self, session: dict[str, Any], who: Person | None = None) -> Any:
        path = f"/supervision-sessions/{session['id']}?reason=Entered+twice"
        return ask(self.http, self.practice, "DELETE", path, who or self.supervisor)

    def listed(self, who: Person | None = None, query: str = "") -> list[str]:
        return [one["id"] for one in good(self.get(f"/supervision-sessions?limit=100{query}", who))["items"]]

    def hours(self, person: Person, month: str = "2026-03") -> tuple[str, int | None, str]:
        found = good(self.get(f"/staff/{person.staff_id}/supervision-hours?month={month}"))
        return found["held"], found["required"], found["missing"]

    def put(self, person: Person, held_at: datetime, hours: str = "1.00", **more: Any) -> None:
        row = SupervisionSession(
            id=new_id(),
            supervisee_id=person.staff_id,
            supervisor_id=self.supervisor.staff_id,
            held_at=held_at,
            hours=Decimal(hours),
            kind="INDIVIDUAL",
            topics=[],
            **more,
        )
        put(self.practice, row)


@pytest.fixture
def team(client: TestClient, practice: PracticeFixture) -> Team:
    return Team(client, practice)


def test_a_session_is_put_on_record_and_read(team: Team) -> None:
    session = team.held(team.ann, topics=["ethics", "risk"], note="Talked about boundaries.")
    assert (session["hours"], session["kind"], session["topics"]) == ("1.50", "INDIVIDUAL", ["ethics", "risk"])
    assert session["supervisor_id"] == str(team.supervisor.staff_id)
    assert "note" not in session
    found = good(team.get(f"/supervision-sessions/{session['id']}", team.supervisor))
    assert found == session | {"note": "Talked about boundaries."}
    assert team.hours(team.ann) == ("1.50", 2, "0.50")
    for action in ("supervision.recorded", "supervision.read"):
        assert len(trail(team.http, team.practice, action, team.ann.staff_id)) == 1


def test_a_group_is_a_session_for_each(team: Team) -> None:
    sessions = good(team.hold(team.ann, team.ben, note="All of us."), 201)["items"]
    assert {one["supervisee_id"] for one in sessions} == {str(team.ann.staff_id), str(team.ben.staff_id)}
    assert {one["kind"] for one in sessions} == {"GROUP"}
    assert [team.hours(one)[0] for one in (team.ann, team.ben)] == ["1.50", "1.50"]
    mine = next(one for one in sessions if one["supervisee_id"] == str(team.ann.staff_id))
    assert good(team.get(f"/supervision-sessions/{mine['id']}", team.ann))["note"] == "All of us."


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_written(team: Team) -> None:
    later = (NOW + timedelta(minutes=1)).isoformat()
    found = problems(team.hold(team.stranger, team.supervisor, kind="INDIVIDUAL", held_at=later))
    words = ["individual", "themselves", "number 1 is nobody", "number 2 is no clinician", "in the future"]
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))
    for wrong in ({"hours": "0"}, {"hours": "12.01"}, {"hours": "1.005"}, {"kind": "PAIR"}, {"topics": [""]}):
        assert team.hold(team.ann, **wrong).status_code == 422
    assert team.hold().status_code == 422
    assert team.hold(*[team.ann] * 21).status_code == 422
    assert team.listed() == []


def test_the_same_hour_is_put_on_record_once(team: Team) -> None:
    session = team.held(team.ann)
    again = team.hold(team.ben, team.ann)
    assert (again.status_code, code_of(again)) == (409, "SUPERVISION_EXISTS")
    assert team.listed() == [session["id"]]
    later = team.held(team.ann, held_at=(HELD + timedelta(hours=2)).isoformat())
    moved = team.change(later, held_at=HELD.isoformat())
    assert (moved.status_code, code_of(moved)) == (409, "SUPERVISION_EXISTS")
    assert team.void(session).status_code == 204
    good(team.change(later, held_at=HELD.isoformat()))


def test_a_supervisor_records_what_they_held_with_their_team_and_an_admin_anybodys(team: Team) -> None:
    assert "nobody of your team" in problems(team.hold(team.stranger))[0]
    theirs = team.hold(team.ann, supervisor_id=str(team.other.staff_id))
    assert "supervisor_id: you put on record" in problems(theirs)[0]
    admin = team.practice.admin
    assert "which supervisor held it" in problems(team.hold(team.ann, by=admin))[0]
    not_one = team.hold(team.ann, by=admin, supervisor_id=str(team.ben.staff_id))
    assert "which supervisor held it" in problems(not_one)[0]
    session = team.held(team.stranger, by=admin, supervisor_id=str(team.other.staff_id))
    assert session["supervisor_id"] == str(team.other.staff_id)
    for role in ("clinician", "scheduler", "biller"):
        assert team.hold(team.ann, by=team.practice.add(role)).status_code == 403


def test_nobody_puts_their_own_supervision_on_record(team: Team) -> None:
    both = team.practice.add("admin", "clinician", supervisor=team.supervisor)
    refused = team.hold(both, by=both, supervisor_id=str(team.supervisor.staff_id))
    assert "your own supervision" in problems(refused)[0]
    session = team.held(both)
    for answer in (team.change(session, both, hours="9"), team.void(session, both), team.sign(session, both)):
        assert (answer.status_code, code_of(answer)) == (403, "NOT_YOURS")


def test_a_session_changes_until_its_note_is_signed_by_whoever_held_it(team: Team) -> None:
    session = team.held(team.ann)
    empty = team.sign(session)
    assert (empty.status_code, code_of(empty)) == (409, "NOTE_EMPTY")
    changed = good(team.change(session, hours="2.25", topics=["grief"], note="Talked about grief."))
    assert (changed["hours"], changed["topics"], changed["note"]) == ("2.25", ["grief"], "Talked about grief.")
    assert team.change(session, hours="1").status_code == 412
    assert "future" in problems(team.change(changed, held_at=(NOW + timedelta(days=1)).isoformat()))[0]
    assert "not employed" in problems(team.change(changed, held_at="2024-12-31T15:00:00Z"))[0]
    for who in (team.practice.admin, team.practice.add("admin", "supervisor")):
        assert code_of(team.sign(changed, who)) == "NOT_YOURS"
    signed = good(team.sign(changed))
    assert (signed["note_signed_at"], signed["note"]) == ("2026-03-18T15:30:00Z", "Talked about grief.")
    for again in (team.sign(signed), team.change(signed, hours="1"), team.change(signed, team.practice.admin, note="")):
        assert again.status_code in (409, 422)
    assert code_of(team.sign(signed)) == code_of(team.change(signed, hours="1")) == "SUPERVISION_SIGNED"
    assert team.hours(team.ann) == ("2.25", 2, "0.00")
    assert team.void(signed).status_code == 204
    assert team.hours(team.ann) == ("0.00", 2, "2.00")
    assert team.get(f"/supervision-sessions/{signed['id']}").status_code == 404


def test_sessions_are_seen_by_those_concerned(team: Team) -> None:
    ann = team.held(team.ann, note="About Ann.")
    ben = team.held(team.ben)
    stranger = team.held(team.stranger, by=team.other)
    assert set(team.listed()) == {ann["id"], ben["id"], stranger["id"]}
    assert set(team.listed(team.supervisor)) == {ann["id"], ben["id"]}
    assert team.listed(team.ann) == [ann["id"]]
    assert team.listed(team.stranger) == [stranger["id"]]
    assert good(team.get(f"/supervision-sessions/{ann['id']}", team.ann))["note"] == "About Ann."
    for who in (team.ben, team.other):
        assert team.get(f"/supervision-sessions/{ann['id']}", who).status_code == 404
    assert team.change(ann, team.other, hours="1").status_code == 404
    for role in ("scheduler", "biller", "analyst"):
        assert team.get("/supervision-sessions", team.practice.add(role)).status_code == 403
    assert team.change(ann, team.ann, hours="9").status_code == 403


def test_whoever_held_a_session_signs_it_also_when_the_team_has_changed(team: Team) -> None:
    session = team.held(team.ann, note="Before she changed.")
    team.set(team.ann, supervisor_id=team.other.staff_id)
    assert team.listed(team.supervisor) == team.listed(team.other) == [session["id"]]
    assert code_of(team.sign(session, team.other)) == "NOT_YOURS"
    assert code_of(team.change(session, team.other, hours="3")) == "NOT_YOURS"
    good(team.sign(session))
    assert "nobody of your team" in problems(team.hold(team.ann, held_at=NOW.isoformat()))[0]


def test_sessions_are_listed_by_people_dates_and_signature(team: Team) -> None:
    first = team.held(team.ann, held_at="2026-03-02T04:59:00Z", note="On the first, at 23:59 in New York.")
    second = team.held(team.ann, held_at="2026-03-02T05:00:00Z")
    third = team.held(team.ben, held_at="2026-03-10T15:00:00Z")
    good(team.sign(first))
    assert team.listed() == [third["id"], second["id"], first["id"]]
    assert team.listed(query="&to=2026-03-01") == [first["id"]]
    assert team.listed(query="&from=2026-03-02&to=2026-03-02") == [second["id"]]
    assert team.listed(query="&signed=true") == [first["id"]]
    assert team.listed(query=f"&supervisee_id={team.ben.staff_id}") == [third["id"]]
    assert team.listed(query=f"&supervisor_id={team.other.staff_id}") == []
    assert team.void(third).status_code == 204
    assert team.listed(query="&signed=false") == [second["id"]]
    assert team.listed(query="&signed=false&voided=true") == [third["id"], second["id"]]


def test_the_note_of_a_session_is_sealed(team: Team) -> None:
    session = team.held(team.ann, note="Canary of a session")
    with cluster.superuser(team.practice.installation.store.database) as connection:
        kept = connection.execute("select note from supervision_sessions where id = %s", (session["id"],)).fetchone()
    assert kept is not None
    assert b"Canary" not in bytes(kept[0])


# Hours


def test_hours_are_of_the_month_of_their_local_date(team: Team) -> None:
    team.put(team.ann, datetime.fromisoformat("2026-03-01T04:59:59Z"), "0.25")  # still February in New York
    team.put(team.ann, datetime.fromisoformat("2026-03-01T05:00:00Z"), "0.50")
    team.put(team.ann, datetime.fromisoformat("2026-02-01T05:00:00Z"), "1.25")
    team.put(team.ann, datetime.fromisoformat("2026-03-05T15:00:00Z"), "4.00", voided_at=NOW)
    assert team.hours(team.ann, "2026-02") == ("1.50", 2, "0.50")
    assert team.hours(team.ann, "2026-03") == ("0.50", 2, "1.50")
    assert team.hours(team.ann, "2026-01") == ("0.00", 2, "2.00")
    assert team.hours(team.ben, "2026-03") == ("0.00", 4, "4.00")
    assert team.hours(team.stranger) == ("0.00", None, "0.00")
    present = good(team.get(f"/staff/{team.ann.staff_id}/supervision-hours"))
    assert (present["month"], present["held"]) == ("2026-03", "0.50")


def test_hours_are_required_of_months_through_which_somebody_was_employed(team: Team) -> None:
    team.set(team.ann, hired_on=date(2026, 1, 2), left_on=date(2026, 3, 1))
    required = [team.hours(team.ann, month)[1] for month in ("2026-01", "2026-02", "2026-03")]
    assert required == [None, 2, None]


def test_a_practice_sets_the_hours_and_months_that_are_over_stay_as_they_were(team: Team) -> None:
    body = {"value": 3, "effective_on": "2026-03-18"}
    good(ask(team.http, team.practice, "POST", "/settings/supervision_hours_lpc", None, body), 201)
    assert team.hours(team.ann, "2026-03")[1] == 3
    assert team.hours(team.ann, "2026-02")[1] == 2


@pytest.mark.parametrize("month", ["2026-13", "2026-3", "march", "1899-12", "2026-03-01"])
def test_a_month_is_written_like_one(team: Team, month: str) -> None:
    assert team.get(f"/staff/{team.ann.staff_id}/supervision-hours?month={month}").status_code == 422


def test_hours_are_seen_by_those_concerned(team: Team) -> None:
    path = f"/staff/{team.ann.staff_id}/supervision-hours"
    for who in (None, team.supervisor, team.ann):
        good(team.get(path, who))
    for who in (team.ben, team.other):
        assert team.get(path, who).status_code == 404
    assert team.get(path, team.practice.add("biller")).status_code == 403


def test_the_hours_of_a_month_begin_with_who_lacks_most(team: Team) -> None:
    team.held(team.ben, hours="3")
    left = team.practice.add("clinician", supervisor=team.supervisor)
    team.set(left, left_on=date(2026, 3, 1))

    def hours(who: Person | None = None) -> list[tuple[str, str]]:
        items = good(team.get("/supervision-sessions/hours?month=2026-03", who))["items"]
        return [(one["staff_id"], one["missing"]) for one in items]

    of_team = [(str(team.ann.staff_id), "2.00"), (str(team.ben.staff_id), "1.00")]
    assert hours(team.supervisor) == of_team
    assert hours() == [*of_team, (str(team.stranger.staff_id), "0.00")]
    assert hours(team.ben) == of_team[1:]
