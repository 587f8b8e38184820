"""Coverages over HTTP: overlaps, verification, eligibility checks, voiding."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from practice.people.coverages import EligibilityResult, add_coverage, change_coverage, check_eligibility
from practice.people.models.clients import Coverage
from practice.people.settings import change_setting
from practice.security.permissions import Scope
from tests.support.builders.people import NOW, PracticeFixture
from tests.support.builders.schedule import make_client, make_portal_client, put
from tests.support.drivers.clients import load_audit_entries, send_request
from tests.support.drivers.http import assert_invalid, assert_ok
from tests.support.drivers.waiting import assert_second_waits

PAYER = {
    **{"rank": 1, "payer_id": "P1", "payer_name": "Example Health", "member_id": "M-1", "group_number": "G-7"},
    **{"effective_on": "2026-01-01", "copay": "20.00"},
}


@pytest.fixture
def path(practice: PracticeFixture) -> str:
    practice.people["client"] = client_id = make_portal_client(practice, practice.add("clinician"))
    return f"/clients/{client_id.staff_id}/coverages"


def post_coverage(client: TestClient, practice: PracticeFixture, path: str, **fields: Any) -> Any:
    return send_request(client, practice, "POST", path, practice.add("biller"), PAYER | fields)


def list_coverages(
    client: TestClient, practice: PracticeFixture, path: str, role: str = "admin", **query: str
) -> list[Any]:
    query_string = "?" + "&".join(f"{name}={value}" for name, value in query.items())
    return assert_ok(send_request(client, practice, "GET", path + query_string, practice.people.get(role)))["items"]


def test_a_coverage_is_stored_as_sent(client: TestClient, practice: PracticeFixture, path: str) -> None:
    created = assert_ok(post_coverage(client, practice, path), 201)
    assert created.pop("warnings") == []
    assert created | PAYER == created
    assert (created["verified_at"], created["ends_on"], created["version"]) == (None, None, 1)
    assert list_coverages(client, practice, path) == list_coverages(client, practice, path, "client") == [created]
    assert list_coverages(client, practice, path, "clinician") == [created]


@pytest.mark.parametrize(
    "wrong", [{"rank": 4}, {"copay": 20}, {"copay": "20.005"}, {"copay": "-1.00"}, {"payer_id": ""}]
)
def test_an_invalid_coverage_is_refused(
    client: TestClient, practice: PracticeFixture, path: str, wrong: dict[str, Any]
) -> None:
    assert post_coverage(client, practice, path, **wrong).status_code == 422


def test_two_coverages_of_a_rank_cannot_overlap(client: TestClient, practice: PracticeFixture, path: str) -> None:
    first = assert_ok(post_coverage(client, practice, path, ends_on="2026-06-30"), 201)
    (problem,) = assert_invalid(post_coverage(client, practice, path, effective_on="2026-06-30"))
    assert "primary coverage from 2026-01-01 until 2026-06-30" in problem
    later = assert_ok(post_coverage(client, practice, path, effective_on="2026-07-01"), 201)
    assert_ok(post_coverage(client, practice, path, rank=2), 201)
    version = {"If_Match": '"1"'}
    longer = send_request(
        client, practice, "PATCH", f"/coverages/{first['id']}", None, {"ends_on": "2026-07-01"}, **version
    )
    (problem,) = assert_invalid(longer)
    assert "from 2026-07-01 with no end date. End this one before that one begins" in problem
    both = {"effective_on": "2026-12-01", "ends_on": "2026-11-01"}
    assert (
        len(assert_invalid(send_request(client, practice, "PATCH", f"/coverages/{first['id']}", None, both, **version)))
        == 1
    )
    other = make_client(practice)
    assert_ok(
        post_coverage(client, practice, f"/clients/{other}/coverages"), 201
    )  # other clients' coverages do not conflict
    void = send_request(client, practice, "DELETE", f"/coverages/{later['id']}", None, {"reason": "Entered twice"})
    assert void.status_code == 204
    assert_ok(send_request(client, practice, "PATCH", f"/coverages/{first['id']}", None, {"ends_on": None}, **version))


def test_an_imported_overlap_does_not_prevent_other_changes(client: TestClient, practice: PracticeFixture) -> None:
    client_id = make_client(practice)
    fields = {"client_id": client_id, "rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M"}
    pair = [Coverage(effective_on=date(2025, 1, 1), **fields) for _ in range(2)]
    put(practice, *pair)
    path = f"/coverages/{pair[0].id}"
    assert_ok(send_request(client, practice, "PATCH", path, None, {"group_number": "G"}, If_Match='"1"'))
    assert send_request(client, practice, "PATCH", path, None, {"rank": 1}, If_Match='"2"').status_code == 422


def test_concurrent_changes_to_coverages_are_serialized(practice: PracticeFixture) -> None:
    client_id = make_client(practice)
    fields = {"rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M", "effective_on": date(2026, 1, 1)}
    assert_second_waits(practice, lambda work: add_coverage(work, Scope.ALL, client_id, dict(fields)))
    other = Coverage(client_id=client_id, **fields | {"rank": 2})
    put(practice, other)
    assert_second_waits(practice, lambda work: change_coverage(work, Scope.ALL, other.id, 1, {"rank": 3}))


def test_a_changed_payer_or_member_makes_a_coverage_unverified(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    created = assert_ok(post_coverage(client, practice, path), 201)
    coverage_path = f"/coverages/{created['id']}"
    verified = assert_ok(send_request(client, practice, "POST", f"{coverage_path}/verify", practice.add("biller")))
    assert (verified["verified_at"], verified["version"]) == ("2026-03-18T15:30:00Z", 2)
    same = {"payer_id": PAYER["payer_id"], "copay": "25.50"}
    updated = assert_ok(send_request(client, practice, "PATCH", coverage_path, None, same, If_Match='"2"'))
    assert (updated["copay"], updated["verified_at"]) == ("25.50", "2026-03-18T15:30:00Z")
    assert (
        send_request(client, practice, "PATCH", coverage_path, None, {"copay": None}, If_Match='"2"').status_code == 412
    )
    updated = assert_ok(
        send_request(client, practice, "PATCH", coverage_path, None, {"member_id": "M-2"}, If_Match='"3"')
    )
    assert updated["verified_at"] is None


def test_a_voided_coverage_stays_on_record_with_its_reason(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    created = assert_ok(post_coverage(client, practice, path), 201)
    coverage_path = f"/coverages/{created['id']}"
    assert send_request(client, practice, "DELETE", coverage_path).status_code == 422  # without a reason
    reason = {"reason": "Other client"}
    scheduler = practice.add("scheduler")
    assert send_request(client, practice, "DELETE", coverage_path, scheduler, reason).status_code == 204
    assert send_request(client, practice, "DELETE", coverage_path, None, reason).status_code == 404
    assert (
        list_coverages(client, practice, path) == list_coverages(client, practice, path, "client", voided="true") == []
    )
    (voided,) = list_coverages(client, practice, path, voided="true")
    assert (voided["id"], voided["voided_at"], voided["void_reason"]) == (
        created["id"],
        "2026-03-18T15:30:00Z",
        "Other client",
    )
    (entry,) = load_audit_entries(client, practice, "coverage.voided")
    assert entry["details"] == {"coverage_id": created["id"]}  # the reason may name the client


def test_coverages_are_visible_to_those_who_see_the_client(
    client: TestClient, practice: PracticeFixture, path: str
) -> None:
    stranger = practice.add("clinician", "scheduler")  # schedulers can write every coverage
    lone = practice.add("clinician")
    created = assert_ok(post_coverage(client, practice, path), 201)
    assert send_request(client, practice, "GET", path, stranger).status_code == 200
    assert send_request(client, practice, "GET", path, lone).status_code == 404
    assert (
        send_request(client, practice, "GET", f"/coverages/{created['id']}/eligibility-checks", lone).status_code == 404
    )
    assert send_request(client, practice, "POST", path, lone, PAYER).status_code == 403
    assert send_request(client, practice, "POST", path, practice.people["client"], PAYER).status_code == 403


# Eligibility


def test_without_a_provider_the_outcome_is_unknown(client: TestClient, practice: PracticeFixture, path: str) -> None:
    created = assert_ok(post_coverage(client, practice, path), 201)
    coverage_path = f"/coverages/{created['id']}"
    check = assert_ok(send_request(client, practice, "POST", f"{coverage_path}/eligibility-check"))
    assert (check["outcome"], check["provider"], check["copay"]) == ("UNKNOWN", "manual", None)
    assert list_coverages(client, practice, path)[0]["verified_at"] is None
    assert assert_ok(send_request(client, practice, "POST", f"{coverage_path}/eligibility-check")) == check
    assert assert_ok(
        send_request(client, practice, "GET", f"{coverage_path}/eligibility-checks", practice.people["client"])
    )["items"] == [check | {"asked_by_person": None}]  # clients get no names of staff


@dataclass
class Payer:
    """A provider with a fixed outcome that records the checked member ids."""

    outcome: str
    name: str = "example"
    checked_members: list[str] = field(default_factory=list)

    def check(self, coverage: Coverage) -> EligibilityResult:
        self.checked_members.append(coverage.member_id)
        return EligibilityResult(self.outcome, 2500, date(2026, 12, 31), "R-1")


@pytest.fixture
def coverage_id(practice: PracticeFixture) -> UUID:
    fields = {"rank": 1, "payer_id": "P", "payer_name": "Example", "member_id": "M-1"}
    coverage = Coverage(client_id=make_client(practice), effective_on=date(2026, 1, 1), **fields)
    put(practice, coverage)
    return coverage.id


def check_payer(practice: PracticeFixture, coverage_id: UUID, payer: Payer, hours: float = 0) -> tuple[str, Any]:
    with practice.work(now=NOW + timedelta(hours=hours)) as work:
        result = check_eligibility(work, Scope.ALL, coverage_id, payer)
        return result.outcome, work.db.get_one(Coverage, (practice.id, coverage_id)).verified_at


@pytest.mark.parametrize(("outcome", "verifies"), [("ACTIVE", True), ("INACTIVE", False), ("UNKNOWN", False)])
def test_an_active_response_verifies_the_coverage(
    practice: PracticeFixture, coverage_id: UUID, outcome: str, verifies: bool
) -> None:
    payer = Payer(outcome)
    assert check_payer(practice, coverage_id, payer) == (outcome, NOW if verifies else None)
    assert payer.checked_members == ["M-1"]


def test_a_payer_is_queried_once_a_day(client: TestClient, practice: PracticeFixture, coverage_id: UUID) -> None:
    inactive, active = Payer("INACTIVE"), Payer("ACTIVE")
    assert check_payer(practice, coverage_id, inactive)[0] == "INACTIVE"
    assert check_payer(practice, coverage_id, active, 23.9) == ("INACTIVE", None)
    assert check_payer(practice, coverage_id, active, 24) == ("ACTIVE", NOW + timedelta(hours=24))
    assert (len(inactive.checked_members), len(active.checked_members)) == (1, 1)
    rows = assert_ok(send_request(client, practice, "GET", f"/coverages/{coverage_id}/eligibility-checks"))["items"]
    assert [(row["outcome"], row["copay"], row["covered_until"], row["payer_reference"]) for row in rows] == [
        ("ACTIVE", "25.00", "2026-12-31", "R-1"),
        ("INACTIVE", "25.00", "2026-12-31", "R-1"),
    ]


@pytest.mark.parametrize("change", [{"payer_id": "Q"}, {"member_id": "M-2"}])
def test_a_response_about_another_member_is_not_reused(
    client: TestClient, practice: PracticeFixture, coverage_id: UUID, change: dict[str, str]
) -> None:
    payer, path = Payer("ACTIVE"), f"/coverages/{coverage_id}"
    check_payer(practice, coverage_id, payer)
    assert_ok(send_request(client, practice, "PATCH", path, None, change, If_Match='"2"'))
    assert check_payer(practice, coverage_id, payer, 1) == ("ACTIVE", NOW + timedelta(hours=1))
    assert_ok(send_request(client, practice, "PATCH", path, None, {"copay": "25.00"}, If_Match='"4"'))
    check_payer(practice, coverage_id, payer, 2)
    assert payer.checked_members == ["M-1", change.get("member_id", "M-1")]
    restored = {"payer_id": "P", "member_id": "M-1"}
    assert_ok(send_request(client, practice, "PATCH", path, None, restored, If_Match='"5"'))
    assert check_payer(practice, coverage_id, payer, 3) == ("ACTIVE", NOW)  # the first response is still fresh
    assert len(payer.checked_members) == 2


def test_reading_a_fresh_response_is_audited(client: TestClient, practice: PracticeFixture, coverage_id: UUID) -> None:
    for _ in range(2):
        assert_ok(send_request(client, practice, "POST", f"/coverages/{coverage_id}/eligibility-check"))
    assert len(load_audit_entries(client, practice, "coverage.checked")) == 1
    (entry,) = load_audit_entries(client, practice, "client.read")
    assert entry["details"] == {"part": "eligibility"}


def test_a_practice_sets_how_long_a_response_is_fresh(practice: PracticeFixture, coverage_id: UUID) -> None:
    with practice.work() as work:
        change_setting(work, "eligibility_cache_hours", 1, NOW.date())
    payer = Payer("UNKNOWN")
    for hours in (0, 0.9, 1):
        check_payer(practice, coverage_id, payer, hours)
    assert len(payer.checked_members) == 2


def test_payers_are_listed_and_found_by_name(client: TestClient, practice: PracticeFixture, path: str) -> None:
    for rank, payer_id, name in ((1, "P2", "Maple Blue-Cross"), (2, "P1", "Example Health"), (3, "P0", "maple care")):
        assert_ok(post_coverage(client, practice, path, rank=rank, payer_id=payer_id, payer_name=name), 201)
    other = f"/clients/{make_client(practice)}/coverages"
    for rank in (1, 2):
        names = {"payer_id": "P2", "payer_name": "Maple BlueCross", "effective_on": f"202{rank}-01-01"}
        assert_ok(post_coverage(client, practice, other, rank=rank, **names), 201)
    voided = assert_ok(post_coverage(client, practice, other, rank=3, payer_id="P9", payer_name="Typo"), 201)
    send_request(client, practice, "DELETE", f"/coverages/{voided['id']}", None, {"reason": "Typo"})

    def find(query: str = "", role: str = "biller") -> list[tuple[str, str]]:
        answer = send_request(client, practice, "GET", f"/payers{query}", practice.people[role])
        return [(payer["id"], payer["name"]) for payer in assert_ok(answer)["items"]]

    everyone = [("P1", "Example Health"), ("P2", "Maple BlueCross"), ("P0", "maple care")]
    assert find() == find(role="biller") == everyone
    assert find("?name=map") == everyone[1:]
    assert find("?name=CARE%20ma") == everyone[2:]
    assert find("?name=aple") == find("?name=-") == []
    clinician = practice.people["clinician"]
    assert send_request(client, practice, "GET", "/payers", clinician).status_code == 403
