"""Uses of the services of coverages and consents."""

from typing import Any
from uuid import UUID

from practice.people import consents, coverages
from practice.people.coverages import EligibilityResult
from practice.people.models.clients import Coverage
from practice.security.permissions import Scope
from tests.support.simulation.practice import DAY, SimulatedPractice, service

COVERAGES = """
    select v.* from coverages as v join clients as c on c.tenant_id = v.tenant_id and c.id = v.client_id
    where v.voided_at is null and c.first_name <> 'Redacted' order by v.id
"""
CONSENTS = """
    select o.*, c.guardian_name from consents as o join clients as c on c.tenant_id = o.tenant_id and c.id = o.client_id
    where o.voided_at is null and c.first_name <> 'Redacted' order by o.id
"""
PAYERS = (("60054", "Blue Plan"), ("60055", "State Plan"), ("87726", "United Plan"))


class ActiveProvider:
    """A payer that confirms every coverage."""

    name = "simulated"

    def check(self, coverage: Coverage) -> EligibilityResult:
        return EligibilityResult("ACTIVE")


@service("add a coverage", 0.2)
def add_any_coverage(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    client_id = client_id or sim.pick_client().id
    payer_id, payer_name = sim.choose(*PAYERS)
    fields = {
        "rank": sim.choose(1, 1, 1, 2),
        "payer_id": payer_id,
        "payer_name": payer_name,
        "member_id": f"M{sim.random.randint(1000, 9999)}",
        "effective_on": sim.choose_day(-200, 5),
        "ends_on": sim.choose(None, None, sim.choose_day(10, 200)),
    }
    with sim.work() as work:
        coverage, _ = coverages.add_coverage(work, Scope.ALL, client_id, fields)
        coverage_id = coverage.id
    if sim.happens(0.8):
        sim.later(sim.now + sim.choose_span(DAY * 0, 4 * DAY), "verify a coverage", coverage_id)


@service("change a coverage", 0.25)
def change_any_coverage(sim: SimulatedPractice) -> None:
    coverage = sim.pick(COVERAGES)
    changes: dict[str, Any] = sim.choose(
        {"ends_on": sim.choose_day(-20, 30)},
        {"member_id": f"M{sim.random.randint(1000, 9999)}"},
        {"effective_on": coverage.effective_on + DAY * sim.random.randint(-60, 30)},
        {"rank": sim.choose(1, 2, 3)},
    )
    with sim.work() as work:
        coverages.change_coverage(work, Scope.ALL, coverage.id, coverage.version, changes)


@service("verify a coverage", 0.3)
def verify_any_coverage(sim: SimulatedPractice, coverage_id: UUID | None = None) -> None:
    coverage_id = coverage_id or sim.pick(COVERAGES).id
    with sim.work() as work:
        coverages.verify_coverage(work, Scope.ALL, coverage_id)


@service("check eligibility", 0.15)
def check_any_eligibility(sim: SimulatedPractice) -> None:
    coverage = sim.pick(COVERAGES)
    with sim.work() as work:
        coverages.check_eligibility(work, Scope.ALL, coverage.id, ActiveProvider())


@service("void a coverage", 0.1)
def void_any_coverage(sim: SimulatedPractice) -> None:
    coverage = sim.pick(COVERAGES)
    with sim.work() as work:
        coverages.void_coverage(work, Scope.ALL, coverage.id, "Entered by mistake.")


@service("sign a consent", 0.5)
def sign_any_consent(sim: SimulatedPractice, client_id: UUID | None = None, kind: str | None = None) -> None:
    client = sim.pick_client() if client_id is None else sim.pick("select * from clients where id = :id", id=client_id)
    kind = kind or sim.choose("INFORMED_TREATMENT", "INFORMED_TREATMENT", "TELEHEALTH")
    with sim.work() as work:
        consents.sign_consent(
            work,
            Scope.ALL,
            client.id,
            kind,
            signed_at=sim.now - sim.choose_span(DAY * 0, 20 * DAY) * sim.choose(0, 0, 1),
            expires_on=sim.choose(None, None, sim.choose_day(20, 200)),
        )


@service("sign a guardian's consent", 0.1)
def sign_guardians_consent(sim: SimulatedPractice, client_id: UUID | None = None) -> None:
    condition = "birth_date > cast(:today as date) - interval '18 years' and not emancipated"
    sign_any_consent(sim, client_id or sim.pick_client(condition).id, "GUARDIAN")


@service("publish an agreement", 0.04)
def publish_any_agreement(sim: SimulatedPractice) -> None:
    with sim.work() as work:
        consents.publish_agreement(work, "INFORMED_TREATMENT", "Treatment", "I agree to treatment.")


@service("sign an agreement", 0.1)
def sign_any_agreement(sim: SimulatedPractice) -> None:
    client = sim.pick_client()
    with sim.work() as work:
        consents.sign_agreement(work, Scope.ALL, client.id, "INFORMED_TREATMENT")


@service("change a consent", 0.08)
def change_any_consent(sim: SimulatedPractice) -> None:
    consent = sim.pick(CONSENTS)
    with sim.work() as work:
        changes = {"expires_on": sim.choose_day(-20, 150)}
        consents.change_consent(work, Scope.ALL, consent.id, consent.version, changes)


@service("revoke a consent", 0.12)
def revoke_any_consent(sim: SimulatedPractice) -> None:
    consent = sim.pick(CONSENTS)
    with sim.work() as work:
        revoked_at = sim.choose(None, sim.now - sim.choose_span(DAY * 0, 8 * DAY))
        consents.revoke_consent(work, Scope.ALL, consent.id, revoked_at)


@service("void a consent", 0.1)
def void_any_consent(sim: SimulatedPractice) -> None:
    consent = sim.pick(CONSENTS)
    with sim.work() as work:
        consents.void_consent(work, Scope.ALL, consent.id, "Entered by mistake.")
