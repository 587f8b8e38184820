"""What covers a client over HTTP: one of a rank on a day, verified, asked about, taken back."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.people.coverages import Eligibility, add_coverage, change_coverage, check_eligibility
from practice.people.models.clients import Coverage
from practice.people.settings import set_rule
from practice.security.permissions import Scope
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client, put
from tests.support.drivers.clients import ask, good, problems, trail
from tests.support.drivers.waiting import second_waits

PAYER = {
    **{"rank": 1, "payer_id": "P1", "payer_name": "Example Health", "member_id": "M-1", "group_number": "G-7"},
    **{"effective_on": "2026-01-01", "copay": "20.00"},
}


@pytest.fixture
def path(practice: PracticeFixture) -> str:
    practice.people["client"] = me = make_portal_client(practice, practice.add("clinician"))
    return f"/clients/{me.staff_id}/coverages"


def add(client: TestClient, practice: PracticeFixture, path: str, **more: Any) -> Any:
    return ask(client, practice, "POST", path, practice.add("biller"), PAYER | more)


def listed(client: TestClient, practice: PracticeFixture, path: str, who: str = "admin", **query: str) -> list[Any]:
    asked = "?" + "&".join(f"{name}={value}" for name, value in query.items())
    return good(ask(client, practice, "GET", path + asked, practice.people.get(who)))["items"]


def test_a_coverage_is_kept_as_it_was_sent(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(add(client, practice, path), 201)
    assert made | PAYER == made
    assert (made["verified_at"], made["ends_on"], made["version"]) == (None, None, 1)
    assert listed(client, practice, path) == listed(client, practice, path, "client") == [made]
    assert listed(client, practice, path, "clinician") == [made]


@pytest.mark.parametrize(
    "wrong", [{"rank": 4}, {"copay": 20}, {"copay": "20.005"}, {"copay": "-1.00"}, {"payer_id": ""}]
)
def test_what_is_no_coverage_is_refused(
    client: TestClient, practice: PracticeFixture, path: str, wrong: dict[str, Any]
) -> None:
    assert add(client, practice, path, **wrong).status_code == 422


def test_two_of_one_rank_are_not_in_force_on_one_day(client: TestClient, practice: PracticeFixture, path: str) -> None:
    first = good(add(client, practice, path, ends_on="2026-06-30"), 201)
    (said,) = problems(add(client, practice, path, effective_on="2026-06-30"))
    assert "primary coverage in force from 2026-01-01 until 2026-06-30" in said
    later = good(add(client, practice, path, effective_on="2026-07-01"), 201)
    good(add(client, practice, path, rank=2), 201)
    version = {"If_Match": '"1"'}
    longer = ask(client, practice, "PATCH", f"/coverages/{first['id']}", None, {"ends_on": "2026-07-01"}, **version)
    assert "from 2026-07-01 without an end" in problems(longer)[0]
    both = {"effective_on": "2026-12-01", "ends_on": "2026-11-01"}
    assert len(problems(ask(client, practice, "PATCH", f"/coverages/{first['id']}", None, both, **version))) == 1
    other = make_client(practice)
    good(add(client, practice, f"/clients/{other}/coverages"), 201)  # somebody else's is in nobody's way
    void = ask(client, practice, "DELETE", f"/coverages/{later['id']}?reason=Entered+twice", None)
    assert void.status_code == 204
    good(ask(client, practice, "PATCH", f"/coverages/{first['id']}", None, {"ends_on": None}, **version))


def test_a_clash_that_came_with_an_import_keeps_nobody_from_other_changes(
    client: TestClient, practice: PracticeFixture
) -> None:
    me = make_client(practice)
    about = {"client_id": me, "rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M"}
    pair = [Coverage(effective_on=date(2025, 1, 1), **about) for _ in range(2)]
    put(practice, *pair)
    path = f"/coverages/{pair[0].id}"
    good(ask(client, practice, "PATCH", path, None, {"group_number": "G"}, If_Match='"1"'))
    assert ask(client, practice, "PATCH", path, None, {"rank": 1}, If_Match='"2"').status_code == 422


def test_of_two_who_add_or_change_at_once_the_second_waits_and_sees_the_first(practice: PracticeFixture) -> None:
    me = make_client(practice)
    about = {"rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M", "effective_on": date(2026, 1, 1)}
    second_waits(practice, lambda work: add_coverage(work, Scope.ALL, me, dict(about)))
    other = Coverage(client_id=me, **about | {"rank": 2})
    put(practice, other)
    second_waits(practice, lambda work: change_coverage(work, Scope.ALL, other.id, 1, {"rank": 3}))


def test_a_changed_coverage_is_to_be_verified_again_when_it_is_another(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    made = good(add(client, practice, path), 201)
    one = f"/coverages/{made['id']}"
    verified = good(ask(client, practice, "POST", f"{one}/verify", practice.add("biller")))
    assert (verified["verified_at"], verified["version"]) == ("2026-03-18T15:30:00Z", 2)
    same = {"payer_id": PAYER["payer_id"], "copay": "25.50"}
    seen = good(ask(client, practice, "PATCH", one, None, same, If_Match='"2"'))
    assert (seen["copay"], seen["verified_at"]) == ("25.50", "2026-03-18T15:30:00Z")
    assert ask(client, practice, "PATCH", one, None, {"copay": None}, If_Match='"2"').status_code == 412
    seen = good(ask(client, practice, "PATCH", one, None, {"member_id": "M-2"}, If_Match='"3"'))
    assert seen["verified_at"] is None


def test_what_is_taken_back_stays_with_who_and_why(client: TestClient, practice: PracticeFixture, path: str) -> None:
    made = good(add(client, practice, path), 201)
    one = f"/coverages/{made['id']}"
    assert ask(client, practice, "DELETE", one).status_code == 422  # for no reason
    assert ask(client, practice, "DELETE", f"{one}?reason=Other+client", practice.add("scheduler")).status_code == 204
    assert ask(client, practice, "DELETE", f"{one}?reason=Other+client").status_code == 404
    assert listed(client, practice, path) == listed(client, practice, path, "client", voided="true") == []
    (kept,) = listed(client, practice, path, voided="true")
    assert (kept["id"], kept["voided_at"], kept["void_reason"]) == (made["id"], "2026-03-18T15:30:00Z", "Other client")
    (entry,) = trail(client, practice, "coverage.voided")
    assert entry["details"] == {"coverage_id": made["id"], "reason": "Other client"}


def test_who_covers_whom_is_for_those_who_see_the_client(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    stranger = practice.add("clinician", "scheduler")  # writes all of them
    lone = practice.add("clinician")
    made = good(add(client, practice, path), 201)
    assert ask(client, practice, "GET", path, stranger).status_code == 200
    assert ask(client, practice, "GET", path, lone).status_code == 404
    assert ask(client, practice, "GET", f"/coverages/{made['id']}/eligibility-checks", lone).status_code == 404
    assert ask(client, practice, "POST", path, lone, PAYER).status_code == 403
    assert ask(client, practice, "POST", path, practice.people["client"], PAYER).status_code == 403


# Asking the payer


def test_where_nobody_can_be_asked_the_answer_is_unknown(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    made = good(add(client, practice, path), 201)
    one = f"/coverages/{made['id']}"
    asked = good(ask(client, practice, "POST", f"{one}/eligibility-check"))
    assert (asked["outcome"], asked["provider"], asked["copay"]) == ("UNKNOWN", "manual", None)
    assert listed(client, practice, path)[0]["verified_at"] is None
    assert good(ask(client, practice, "POST", f"{one}/eligibility-check")) == asked
    assert good(ask(client, practice, "GET", f"{one}/eligibility-checks", practice.people["client"]))["items"] == [
        asked
    ]


@dataclass
class Payer:
    """Somebody who answers, and counts how often."""

    outcome: str
    name: str = "example"
    asked: list[str] = field(default_factory=list)

    def check(self, coverage: Coverage) -> Eligibility:
        self.asked.append(coverage.member_id)
        return Eligibility(self.outcome, 2500, date(2026, 12, 31), "R-1")


@pytest.fixture
def coverage_id(practice: PracticeFixture) -> UUID:
    about = {"rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M-1"}
    coverage = Coverage(client_id=make_client(practice), effective_on=date(2026, 1, 1), **about)
    put(practice, coverage)
    return coverage.id


def checked(practice: PracticeFixture, coverage_id: UUID, payer: Payer, hours: float = 0) -> tuple[str, Any]:
    with practice.work(now=NOW + timedelta(hours=hours)) as work:
        found = check_eligibility(work, Scope.ALL, coverage_id, payer)
        return found.outcome, work.db.get_one(Coverage, (practice.id, coverage_id)).verified_at


@pytest.mark.parametrize(("outcome", "verifies"), [("ACTIVE", True), ("INACTIVE", False), ("UNKNOWN", False)])
def test_a_payer_who_says_yes_verifies(
    practice: PracticeFixture, coverage_id: UUID, outcome: str, verifies: bool
) -> None:
    payer = Payer(outcome)
    assert checked(practice, coverage_id, payer) == (outcome, NOW if verifies else None)
    assert payer.asked == ["M-1"]


def test_a_payer_is_asked_once_a_day(client: TestClient, practice: PracticeFixture, coverage_id: UUID) -> None:
    no, yes = Payer("INACTIVE"), Payer("ACTIVE")
    assert checked(practice, coverage_id, no)[0] == "INACTIVE"
    assert checked(practice, coverage_id, yes, 23.9) == ("INACTIVE", None)
    assert checked(practice, coverage_id, yes, 24) == ("ACTIVE", NOW + timedelta(hours=24))
    assert (len(no.asked), len(yes.asked)) == (1, 1)
    rows = good(ask(client, practice, "GET", f"/coverages/{coverage_id}/eligibility-checks"))["items"]
    assert [(row["outcome"], row["copay"], row["covered_until"], row["payer_reference"]) for row in rows] == [
        ("ACTIVE", "25.00", "2026-12-31", "R-1"),
        ("INACTIVE", "25.00", "2026-12-31", "R-1"),
    ]


@pytest.mark.parametrize("change", [{"payer_id": "Q"}, {"member_id": "M-2"}])
def test_an_answer_about_another_member_answers_nothing(
    client: TestClient, practice: PracticeFixture, coverage_id: UUID, change: dict[str, str]
) -> None:
    payer, path = Payer("ACTIVE"), f"/coverages/{coverage_id}"
    checked(practice, coverage_id, payer)
    good(ask(client, practice, "PATCH", path, None, change, If_Match='"2"'))
    assert checked(practice, coverage_id, payer, 1) == ("ACTIVE", NOW + timedelta(hours=1))
    good(ask(client, practice, "PATCH", path, None, {"copay": "25.00"}, If_Match='"4"'))
    checked(practice, coverage_id, payer, 2)
    assert payer.asked == ["M-1", change.get("member_id", "M-1")]
    back = {"payer_id": "P", "member_id": "M-1"}
    good(ask(client, practice, "PATCH", path, None, back, If_Match='"5"'))
    assert checked(practice, coverage_id, payer, 3) == ("ACTIVE", NOW)  # what the first answer said is still so
    assert len(payer.asked) == 2


def test_an_answer_that_was_there_already_is_on_the_audit_trail_too(
    client: TestClient, practice: PracticeFixture, coverage_id: UUID
) -> None:
    for _ in range(2):
        good(ask(client, practice, "POST", f"/coverages/{coverage_id}/eligibility-check"))
    assert len(trail(client, practice, "coverage.checked")) == 1
    (entry,) = trail(client, practice, "client.read")
    assert entry["details"] == {"part": "eligibility"}


def test_how_long_an_answer_is_fresh_is_the_practices_choice(practice: PracticeFixture, coverage_id: UUID) -> None:
    with practice.work() as work:
        set_rule(work, "eligibility_cache_hours", 1, NOW.date())
    payer = Payer("UNKNOWN")
    for hours in (0, 0.9, 1):
        checked(practice, coverage_id, payer, hours)
    assert len(payer.asked) == 2
