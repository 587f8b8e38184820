"""A correction of a record does not move what a refresh before it has published."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from practice.analytics.values import Selection, ValueKey
from practice.clinical.plans.plans import change_review
from practice.people import incidents
from practice.people.client_history import change_status
from practice.people.clients import change_client
from practice.people.coverages import change_coverage
from practice.people.models.practices import Practice
from practice.people.staff import add_staff
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor, Work
from practice.sessions.corrections import revert_appointment
from practice.store.ids import new_id
from tests.warehouse.conftest import be_quiet
from warehouse.builds import read_values
from warehouse.refresh import compute_aside

BEFORE = datetime(2025, 11, 3, 17, 0, tzinfo=UTC)
CHANGE = datetime(2025, 11, 5, 15, 0, tzinfo=UTC)
AFTER = datetime(2025, 11, 12, 17, 0, tzinfo=UTC)
EARLIER = datetime(2025, 10, 7, 14, 0, tzinfo=UTC)


def find(work: Work, table: str, external_id: str) -> Any:
    query = text(f"select * from {table} where external_id = :id")
    return work.db.execute(query, {"id": external_id}).one()


def revert_completed(work: Work) -> None:
    """Take back a completion after its charge was voided, and before that the charge's money."""
    appointment = find(work, "appointments", "A4")
    charge, payment = find(work, "charges", "H2"), find(work, "payments", "Y1")
    for statement in (
        "insert into payment_applications (tenant_id, id, payment_id, charge_id, amount_cents, posted_at) "
        "values (:tenant_id, uuidv7(), :payment_id, :charge_id, -2000, :now)",
        "insert into balance_transfers (tenant_id, id, charge_id, to_payer_id, reason, amount_cents, posted_at) "
        "values (:tenant_id, uuidv7(), :charge_id, '60054', 'MANUAL', 3500, :now)",
        "update charges set voided_at = :now where tenant_id = :tenant_id and id = :charge_id",
    ):
        values = {"tenant_id": work.tenant_id, "now": work.now, "payment_id": payment.id, "charge_id": charge.id}
        names = [name for name in values if f":{name}" in statement]
        work.db.execute(text(statement), {name: values[name] for name in names})
    revert_appointment(work, Scope.ALL, appointment.id, "COMPLETED", "Set by mistake.")


def report_late(work: Work) -> None:
    incidents.report_incident(work, kind="LOST_DEVICE", detected_at=EARLIER, summary="Lost.")


def correct_detection(work: Work) -> None:
    incident = find(work, "incidents", "I1")
    incidents.change_incident(work, incident.id, incident.version, {"detected_at": EARLIER})


def correct_review(work: Work) -> None:
    review = find(work, "treatment_plan_reviews", "P2")
    changes = {"reviewed_on": date(2025, 9, 15)}
    change_review(work, Scope.ALL, review.id, review.version, changes)


def correct_birth_date(work: Work) -> None:
    client = find(work, "clients", "K2")
    change_client(work, Scope.ALL, client.id, client.version, {"birth_date": date(1992, 2, 29)})


def correct_admission(work: Work) -> None:
    client = find(work, "clients", "K2")
    change_client(work, Scope.ALL, client.id, client.version, {"admitted_on": date(2025, 10, 20)})


def end_treatment_earlier(work: Work) -> None:
    change_status(work, Scope.ALL, find(work, "clients", "K2").id, "DISCHARGED", date(2025, 10, 25))


# Each with a metric that shows it from then on.
CORRECTIONS = {
    revert_completed: "kept_visit_rate",
    report_late: "breach_response_hours",
    correct_detection: "breach_response_hours",
    correct_review: "treatment_plan_currency",
    correct_birth_date: "minor_consent_compliance",
    correct_admission: "portal_adoption_rate",
    end_treatment_earlier: "portal_adoption_rate",
}


def add_supervisee(work: Work) -> None:
    """Give somebody a first supervisee, who was hired some days ago."""
    supervisor = find(work, "staff", "CLI")
    work.db.execute(text("update staff set roles = '{clinician,supervisor}' where id = :id"), {"id": supervisor.id})
    name = {"email": f"{new_id()}@oak.example", "first_name": "Robin", "last_name": "New"}
    hired_on = date(2025, 10, 28)
    add_staff(work, roles=["clinician"], hired_on=hired_on, supervisor_id=supervisor.id, by_email=False, **name)


def end_coverage(work: Work) -> None:
    coverage = find(work, "coverages", "V1")
    change_coverage(work, Scope.ALL, coverage.id, coverage.version, {"ends_on": date(2025, 12, 31)})


def compute(
    installation: Installation, practice: Practice, folder: Path, as_of: datetime, entity_kind: str = "practice"
) -> dict[ValueKey, Any]:
    """Return the values of every week, as of an instant."""
    with compute_aside(installation.store, folder, practice.id, as_of, None, "duckdb", be_quiet) as build:
        values = read_values(build, Selection(None, "week", entity_kind=entity_kind))
    return {value.value_key: value for value in values}


def use_as_admin(installation: Installation, practice: Practice, now: datetime, use: Callable[[Work], None]) -> None:
    """Use a service as somebody who is admin, and author of the sample practice's plans."""
    with installation.work(Actor(practice.id), now) as work:
        admin, author = find(work, "staff", "ADM"), find(work, "staff", "CLI")
    staff_id = author.id if use is correct_review else admin.id
    with installation.work(Actor(practice.id, admin.account_id, staff_id, frozenset({"admin"})), now) as work:
        use(work)


def test_corrections_move_nothing_that_was_known_before(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    before = compute(installation, oak_street, tmp_path, BEFORE)
    for minute, correct in enumerate(CORRECTIONS):
        use_as_admin(installation, oak_street, CHANGE + timedelta(minutes=minute), correct)
    rebuilt = compute(installation, oak_street, tmp_path, BEFORE)
    assert {key.metric_key for key in before if rebuilt.get(key) != before[key]} == set()
    assert rebuilt.keys() == before.keys()
    after = compute(installation, oak_street, tmp_path, AFTER)
    assert {key.metric_key for key in before if after[key] != before[key]} >= set(CORRECTIONS.values())


def test_a_change_of_an_imported_coverage_verifies_no_earlier_visit(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    before = compute(installation, oak_street, tmp_path, BEFORE)
    use_as_admin(installation, oak_street, CHANGE, end_coverage)
    after = compute(installation, oak_street, tmp_path, AFTER)
    verified = [key for key in before if key.metric_key == "insurance_verification_rate"]
    assert any(before[key].numerator < before[key].denominator for key in verified)
    assert [key for key in verified if after[key] != before[key]] == []


def test_a_new_team_has_no_values_before_the_first_day_of_its_member(
    installation: Installation, oak_street: Practice, tmp_path: Path
) -> None:
    before = compute(installation, oak_street, tmp_path, BEFORE, "team")
    use_as_admin(installation, oak_street, CHANGE, add_supervisee)
    after = compute(installation, oak_street, tmp_path, AFTER, "team")
    added = {key.period_start for key in after if key.entity_id not in {key.entity_id for key in before}}
    assert added == {date(2025, 10, 26), date(2025, 11, 2), date(2025, 11, 9)}
