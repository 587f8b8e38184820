"""Verbs about what covers a client's treatment: add, change, verify, void, and ask the payer whether it is in force."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from practice.errors import Invalid, NotFound, Stale
from practice.people.access import is_within, reaches
from practice.people.clients import lock_client
from practice.people.models.clients import Coverage, EligibilityCheck
from practice.people.rules.coverages import Term, answer_is_fresh, coverage_problems
from practice.people.settings import setting
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.records import apply


@dataclass(frozen=True)
class Eligibility:
    """What a payer says: ACTIVE, INACTIVE or UNKNOWN, and what goes with it."""

    outcome: str
    copay_cents: int | None = None
    covered_until: date | None = None
    payer_reference: str | None = None


class EligibilityProvider(Protocol):
    """Somebody who can be asked about a coverage."""

    @property
    def name(self) -> str: ...

    def check(self, coverage: Coverage) -> Eligibility: ...


class ByHand:
    """Nobody is asked: somebody of the practice calls the payer and marks the coverage as verified."""

    name = "manual"

    def check(self, coverage: Coverage) -> Eligibility:
        return Eligibility("UNKNOWN")


BY_HAND = ByHand()


def list_coverages(work: Work, scope: Scope, client_id: UUID, *, voided: bool = False) -> list[Coverage]:
    """By rank, the latest first. What was entered by mistake is not the client's to see."""
    if not is_within(work, scope, client_id):
        raise NotFound
    query = select(Coverage).where(Coverage.tenant_id == work.tenant_id, Coverage.client_id == client_id)
    if not voided or work.actor.client_id is not None:
        query = query.where(Coverage.voided_at.is_(None))
    work.record("client.read", "client", client_id, part="coverages")
    return list(work.db.scalars(query.order_by(Coverage.rank, Coverage.effective_on.desc(), Coverage.id)))


def add_coverage(work: Work, scope: Scope, client_id: UUID, about: dict[str, Any]) -> Coverage:
    lock_client(work, scope, client_id)
    coverage = Coverage(tenant_id=work.tenant_id, id=new_id(), client_id=client_id, **about)
    refuse_clash(work, coverage, about)
    work.db.add(coverage)
    work.db.flush()
    work.record("coverage.added", "client", client_id, coverage_id=str(coverage.id))
    return coverage


def change_coverage(work: Work, scope: Scope, coverage_id: UUID, version: int, changes: dict[str, Any]) -> Coverage:
    """Who covers, from when to when. Another payer or number is another thing to verify."""
    coverage = lock_coverage(work, scope, coverage_id)
    if coverage.version != version:
        raise Stale
    if any(getattr(coverage, name) != changes.get(name, getattr(coverage, name)) for name in ("payer_id", "member_id")):
        changes["verified_at"] = None
    if changes.keys() & set(Term._fields):
        refuse_clash(work, coverage, changes)
    apply(coverage, changes)
    work.record("coverage.changed", "client", coverage.client_id, coverage_id=str(coverage_id), fields=sorted(changes))
    return coverage


def void_coverage(work: Work, scope: Scope, coverage_id: UUID, reason: str) -> None:
    coverage = lock_coverage(work, scope, coverage_id)
    work.void(coverage, reason)
    work.record("coverage.voided", "client", coverage.client_id, coverage_id=str(coverage_id), reason=reason)


def verify_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    """Somebody has made sure of it, now."""
    coverage = lock_coverage(work, scope, coverage_id)
    apply(coverage, {"verified_at": work.now})
    work.record("coverage.verified", "client", coverage.client_id, coverage_id=str(coverage_id))
    return coverage


def check_eligibility(
    work: Work, scope: Scope, coverage_id: UUID, provider: EligibilityProvider = BY_HAND
) -> EligibilityCheck:
    """The payer's answer: the last one about this member while it is fresh, else a new one."""
    coverage = lock_coverage(work, scope, coverage_id)
    member = coverage.payer_id, coverage.member_id
    last = next((one for one in checks_of(work, coverage_id) if (one.payer_id, one.member_id) == member), None)
    if last is not None and answer_is_fresh(last.asked_at, setting(work, "eligibility_cache_hours"), work.now):
        work.record("client.read", "client", coverage.client_id, part="eligibility")
        if last.outcome == "ACTIVE" and coverage.verified_at is None:  # it was another's for a while
            apply(coverage, {"verified_at": last.asked_at})
        return last
    found = provider.check(coverage)
    check = EligibilityCheck(
        tenant_id=work.tenant_id,
        id=new_id(),
        coverage_id=coverage_id,
        payer_id=coverage.payer_id,
        member_id=coverage.member_id,
        asked_at=work.now,
        asked_by=work.actor.account_id,
        provider=provider.name,
        **vars(found),
    )
    work.db.add(check)
    if found.outcome == "ACTIVE":
        apply(coverage, {"verified_at": work.now})
    work.record("coverage.checked", "client", coverage.client_id, coverage_id=str(coverage_id), outcome=found.outcome)
    return check


def list_eligibility_checks(work: Work, scope: Scope, coverage_id: UUID) -> list[EligibilityCheck]:
    """Latest first."""
    coverage = find_coverage(work, scope, coverage_id)
    work.record("client.read", "client", coverage.client_id, part="eligibility")
    return checks_of(work, coverage_id)


def checks_of(work: Work, coverage_id: UUID) -> list[EligibilityCheck]:
    row = EligibilityCheck
    query = select(row).where(row.tenant_id == work.tenant_id, row.coverage_id == coverage_id)
    return list(work.db.scalars(query.order_by(row.asked_at.desc(), row.id.desc())))


def find_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    query = select(Coverage).where(
        Coverage.tenant_id == work.tenant_id, Coverage.id == coverage_id, Coverage.voided_at.is_(None)
    )
    coverage = work.db.scalar(query.where(reaches(work, scope, Coverage.client_id)))
    if coverage is None:
        raise NotFound
    return coverage


def lock_coverage(work: Work, scope: Scope, coverage_id: UUID) -> Coverage:
    """With the client, so that two changes of what covers them see each other."""
    coverage = find_coverage(work, scope, coverage_id)
    lock_client(work, scope, coverage.client_id)
    work.db.refresh(coverage)
    if coverage.voided_at is not None:
        raise NotFound
    return coverage


def refuse_clash(work: Work, coverage: Coverage, changes: dict[str, Any]) -> None:
    """Of the coverage as it will be, beside the client's others."""
    others = work.db.execute(
        select(Coverage.rank, Coverage.effective_on, Coverage.ends_on).where(
            Coverage.tenant_id == work.tenant_id,
            Coverage.client_id == coverage.client_id,
            Coverage.id != coverage.id,
            Coverage.voided_at.is_(None),
        )
    )
    term = Term(*(changes.get(name, getattr(coverage, name)) for name in Term._fields))
    problems = coverage_problems(term, (Term(*other) for other in others))
    if problems:
        raise Invalid(problems)
