"""Insurance coverages of clients: add, change, verify, void, and check eligibility with the payer."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound, Stale
from practice.people.access import can_see_client, client_visible
from practice.people.clients import lock_client
from practice.people.models.clients import Client, Coverage, EligibilityCheck
from practice.people.practice_time import local_today
from practice.people.rules.coverages import CoverageTerm, coverage_problems, is_response_fresh, past_end_problems
from practice.people.settings import get_setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import update_versioned


@dataclass(frozen=True)
class EligibilityResult:
    """A payer's response: ACTIVE, INACTIVE or UNKNOWN, with its details."""

    outcome: str
    copay_cents: int | None = None
    covered_until: date | None = None
    payer_reference: str | None = None


class EligibilityProvider(Protocol):
    """A service that checks eligibility with a payer."""

    @property
    def name(self) -> str: ...

    def check(self, coverage: Coverage) -> EligibilityResult: ...


class ManualVerification:
    """The provider for practices that call the payer themselves and mark the coverage as verified."""

    name = "manual"

    def check(self, coverage: Coverage) -> EligibilityResult:
        return EligibilityResult("UNKNOWN")


MANUAL = ManualVerification()


def list_coverages(work: Work, scope: Scope, client_id: UUID, *, voided: bool = False) -> list[Coverage]:
    """Return the client's coverages by rank, latest first. Clients never see voided ones."""
    if not can_see_client(work, scope, client_id):
        raise NotFound
    query = select(Coverage).where(Coverage.tenant_id == work.tenant_id, Coverage.client_id == client_id)
    if not voided or work.actor.client_id is not None:
        query = query.where(Coverage.voided_at.is_(None))
    work.record("client.read", "client", client_id, part="coverages")
    return list(work.db.scalars(query.order_by(Coverage.rank, Coverage.effective_on.desc(), Coverage.id)))


def add_coverage(work: Work, scope: Scope, client_id: UUID, fields: dict[str, Any]) -> tuple[Coverage, list[str]]:
    """Add a coverage. One that has ended may be needed for earlier visits, so it is stored with a warning."""
    lock_client(work, scope, client_id)
    coverage = Coverage(tenant_id=work.tenant_id, id=new_id(), client_id=client_id, **fields)
    refuse_terms(work, coverage, fields)
    work.db.add(coverage)
    work.db.flush()
    work.record("coverage.added", "client", client_id, coverage_id=str(coverage.id))
    has_ended = coverage.ends_on is not None and coverage.ends_on < local_today(work)
    return coverage, ["This coverage has already ended. Check `ends_on`."] if has_ended else []


def change_coverage(work: Work, scope: Scope, coverage_id: UUID, version: int, changes: dict[str, Any]) -> Coverage:
    """Change a coverage. Another payer or member id makes it unverified."""
    coverage = lock_coverage(work, scope, coverage_id)
    if coverage.version != version:
        raise Stale
    if any(getattr(coverage, name) != changes.get(name, getattr(coverage, name)) for name in ("payer_id", "member_id")):
        changes["verified_at"] = None
    if changes.keys() & set(CoverageTerm._fields):
        refuse_terms(work, coverage, changes)
    update_versioned(coverage, changes)
    work.record("coverage.changed", "client", coverage.client_id, coverage_id=str(coverage_id), fields=sorted(changes))
    return coverage


def void_coverage(work: Work, scope: Scope, coverage_id: UUID, reason: str) -> None:
    coverage = lock_coverage(work, scope, coverage_id)
    work.void(coverage, reason)
    work.record("coverage.voided", "client", coverage.client_id, coverage_id=str(coverage_id))


def verify_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    """Mark a coverage as verified now."""
    coverage = lock_coverage(work, scope, coverage_id)
    update_versioned(coverage, {"verified_at": work.now})
    work.record("coverage.verified", "client", coverage.client_id, coverage_id=str(coverage_id))
    return coverage


def check_eligibility(
    work: Work, scope: Scope, coverage_id: UUID, provider: EligibilityProvider = MANUAL
) -> EligibilityCheck:
    """Return the latest response about this member while it is fresh, otherwise query the provider."""
    coverage = lock_coverage(work, scope, coverage_id)
    member = coverage.payer_id, coverage.member_id
    checks = load_eligibility_checks(work, coverage_id)
    latest = next((check for check in checks if (check.payer_id, check.member_id) == member), None)
    if latest is not None and is_response_fresh(
        latest.asked_at, get_setting(work, "eligibility_cache_hours"), work.now
    ):
        work.record("client.read", "client", coverage.client_id, part="eligibility")
        if latest.outcome == "ACTIVE" and coverage.verified_at is None:  # the member id was changed and changed back
            update_versioned(coverage, {"verified_at": latest.asked_at})
        return latest
    result = provider.check(coverage)
    check = EligibilityCheck(
        tenant_id=work.tenant_id,
        id=new_id(),
        coverage_id=coverage_id,
        payer_id=coverage.payer_id,
        member_id=coverage.member_id,
        asked_at=work.now,
        asked_by=work.actor.account_id,
        provider=provider.name,
        **vars(result),
    )
    work.db.add(check)
    if result.outcome == "ACTIVE":
        update_versioned(coverage, {"verified_at": work.now})
    work.record("coverage.checked", "client", coverage.client_id, coverage_id=str(coverage_id), outcome=result.outcome)
    return check


def list_eligibility_checks(work: Work, scope: Scope, coverage_id: UUID) -> list[EligibilityCheck]:
    """Return the eligibility checks of a coverage, latest first."""
    coverage = find_coverage(work, scope, coverage_id)
    work.record("client.read", "client", coverage.client_id, part="eligibility")
    return load_eligibility_checks(work, coverage_id)


def load_eligibility_checks(work: Work, coverage_id: UUID) -> list[EligibilityCheck]:
    query = select(EligibilityCheck).where(
        EligibilityCheck.tenant_id == work.tenant_id, EligibilityCheck.coverage_id == coverage_id
    )
    return list(work.db.scalars(query.order_by(EligibilityCheck.asked_at.desc(), EligibilityCheck.id.desc())))


def find_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    query = select(Coverage).where(
        Coverage.tenant_id == work.tenant_id, Coverage.id == coverage_id, Coverage.voided_at.is_(None)
    )
    coverage = work.db.scalar(query.where(client_visible(work, scope, Coverage.client_id)))
    if coverage is None:
        raise NotFound
    return coverage


def lock_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    """Lock the client and return the coverage, so that concurrent changes to a client's coverages are serialized."""
    coverage = find_coverage(work, scope, coverage_id)
    lock_client(work, scope, coverage.client_id)
    work.db.refresh(coverage)
    if coverage.voided_at is not None:
        raise NotFound
    return coverage


def refuse_terms(work: Work, coverage: Coverage, changes: dict[str, Any]) -> None:
    """Raise Invalid if the changed coverage overlaps another of the client, or ends before their admission."""
    others = work.db.execute(
        select(Coverage.rank, Coverage.effective_on, Coverage.ends_on).where(
            Coverage.tenant_id == work.tenant_id,
            Coverage.client_id == coverage.client_id,
            Coverage.id != coverage.id,
            Coverage.voided_at.is_(None),
        )
    )
    term = CoverageTerm(*(changes.get(name, getattr(coverage, name)) for name in CoverageTerm._fields))
    problems = coverage_problems(term, (CoverageTerm(*other) for other in others))
    if "ends_on" in changes:
        admitted_on = work.db.get_one(Client, (work.tenant_id, coverage.client_id)).admitted_on
        problems += past_end_problems(term.ends_on, admitted_on)
    if problems:
        raise Invalid(problems)
