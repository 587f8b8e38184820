"""The page of compliance: each check with its states and trend, the people concerned, and what needs somebody."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from practice.analytics.periods import last_day_of_period, shift_period
from practice.analytics.values import EntityKey, Refresh
from practice.dashboards.clinicians import list_clinicians
from practice.dashboards.compliance_checks import (
    CHECKS,
    Check,
    CheckKey,
    Findings,
    Mending,
    Row,
    Selection,
    State,
    load_findings,
)
from practice.dashboards.compliance_reminders import list_reminded_today
from practice.dashboards.compliance_scope import find_clinician_ids
from practice.dashboards.figures import TREND_PERIODS, Figure, choose_period, load_figures
from practice.dashboards.needs import Need, Urgency, sort_needs
from practice.dashboards.words import format_number, join_words
from practice.people.practice_time import local_today
from practice.security.permissions import Scope, find_scope
from practice.security.work import Work
from practice.text import format_count

ACTING = {
    "clinician": "the primary clinician",
    "staff_member": "the person",
    "supervisor": "the supervisor",
    "front_desk": "the front desk",
    "admins": "the admins",
}
METRICS = tuple(check.metric for check in CHECKS.values() if check.metric)


@dataclass(frozen=True)
class States:
    """How many are in each state today, and which share of those that a check applies to is fine, at month ends."""

    counts: Counter[State]
    trend: Sequence[Decimal | None]

    @property
    def applicable(self) -> int:
        return self.counts.total() - self.counts["not_applicable"]

    @property
    def share(self) -> Decimal | None:
        return self.trend[-1]


@dataclass(frozen=True)
class CheckStates:
    """A check with its states, and the metric that counts the same people, if there is one."""

    check: Check
    states: States
    figure: Figure | None


@dataclass(frozen=True)
class Compliance:
    """Everything that the page shows at first."""

    today: date
    brief: Sequence[str]
    total: States
    checks: Sequence[CheckStates]
    rows: Sequence[Row]
    count: int
    next_offset: int | None
    reminded: Mapping[CheckKey, Mapping[UUID, datetime]]
    clinicians: Sequence[tuple[UUID, str]]
    needs: Sequence[Need]
    refresh: Refresh | None


def load_compliance(work: Work, scope: Scope, clinician_id: UUID | None, selection: Selection) -> Compliance:
    """Return the page: of the practice, of a team, or of one clinician."""
    today = local_today(work)
    clinician_ids = find_clinician_ids(work, scope, clinician_id)
    findings = load_findings(work, clinician_ids, list_trend_days(today), selection)
    entity, period = find_entity(work, scope, clinician_id), choose_period(work, "month", None)
    found = load_figures(work, period, METRICS, [entity])
    figures = found.of(entity)
    checks = [
        CheckStates(check, measure(findings, [check.key]), figures[check.metric] if check.metric else None)
        for check in CHECKS.values()
    ]
    total = measure(findings, list(CHECKS))
    reminded = list_reminded_today(work, today)
    may_remind = find_scope(work.actor.roles, "dashboards", "remind") is not None
    needs = sort_needs(
        [build_need(found, reminded, may_remind=may_remind) for found in checks if found.states.counts["late"]]
    )
    count = count_selected(findings.counts[today], selection)
    shown = selection.offset + len(findings.rows)
    return Compliance(
        today=today,
        brief=describe(total, checks, needs),
        total=total,
        checks=checks,
        rows=findings.rows,
        count=count,
        next_offset=shown if findings.rows and shown < count else None,
        reminded=reminded,
        clinicians=[
            (person.id, f"{person.first_name} {person.last_name}") for person in list_clinicians(work, scope, period)
        ],
        needs=needs,
        refresh=found.refresh,
    )


def list_trend_days(today: date) -> list[date]:
    """Return the last days of the months before, and today."""
    this_month = today.replace(day=1)
    starts = [shift_period("month", this_month, number) for number in range(1 - TREND_PERIODS, 0)]
    return [*(last_day_of_period("month", start) for start in starts), today]


def find_entity(work: Work, scope: Scope, clinician_id: UUID | None) -> EntityKey:
    """Return whose metrics stand beside the checks."""
    if scope is Scope.ALL and clinician_id is None:
        return "practice", work.tenant_id
    person_id = clinician_id or work.actor.staff_id or work.tenant_id
    return ("team" if scope is Scope.TEAM and clinician_id is None else "clinician"), person_id


def measure(findings: Findings, keys: Sequence[CheckKey]) -> States:
    """Return the states of some checks together."""
    counts: list[Counter[State]] = [
        sum((of_day[key] for key in keys), Counter[State]()) for of_day in findings.counts.values()
    ]
    return States(counts[-1], [compute_share(of_day) for of_day in counts])


def compute_share(counts: Counter[State]) -> Decimal | None:
    """Return the percentage that is fine of those to whom the check applies, or None if it applies to nobody."""
    applicable = counts.total() - counts["not_applicable"]
    if not applicable:
        return None
    return (Decimal(100 * counts["fine"]) / applicable).quantize(Decimal("0.1"), ROUND_HALF_UP)


def count_selected(counts: Mapping[CheckKey, Counter[State]], selection: Selection) -> int:
    """Return how many rows there are of the selected check and state."""
    return sum(
        number
        for key, by_state in counts.items()
        for state, number in by_state.items()
        if selection.check in (None, key) and state in selection.states
    )


def build_need(found: CheckStates, reminded: Mapping[CheckKey, Mapping[UUID, datetime]], *, may_remind: bool) -> Need:
    """Return the late ones of a check, with the reminder to those who have to act or, for others, the list."""
    check, late = found.check, found.states.counts["late"]
    urgency: Urgency = "today" if check.key in ("safety_plan", "incident_response") else "this_week"
    sent = len(reminded[check.key])
    today = f" Reminders of {sent} were sent today." if sent else ""
    return Need(
        check.key,
        urgency,
        f"{check.label}: {late} late",
        f"{check.to_do} {ACTING[check.acts].capitalize()} has to act.{today}".replace("admins has", "admins have"),
        late,
        "remind" if may_remind else "show_check",
        "Remind" if may_remind else "Show",
    )


def describe(total: States, checks: Sequence[CheckStates], needs: Sequence[Need]) -> list[str]:
    """Return how many checks are fine, how that changed, where most late ones are, and what to do first."""
    if total.share is None:
        return ["No check applies to anybody yet."]
    fine, late, due = (total.counts[state] for state in ("fine", "late", "due"))
    share = f"{format_number(total.share)} %"
    sentences = [f"{fine:,} of {format_count(total.applicable, 'check')} {'is' if fine == 1 else 'are'} fine ({share})"]
    before = total.trend[-2]
    if before is not None and before != total.share:
        direction = "up" if total.share > before else "down"
        sentences[0] += f", {direction} from {format_number(before)} % at the end of last month"
    sentences[0] += f"; {late:,} {'is' if late == 1 else 'are'} late and {due:,} due."
    worst = sorted((found for found in checks if found.states.counts["late"]), key=lambda f: -f.states.counts["late"])
    if worst:
        listed = join_words([f"{found.check.label} ({found.states.counts['late']})" for found in worst[:3]])
        sentences.append(f"{'Most late are' if len(worst) > 3 else 'Late are'} {listed}.")
        sentences.append(f"First to do: {needs[0].title}.")
    return sentences


def find_mending(work: Work, row: Row) -> Mending | None:
    """Return what the actor may do to mend a check at once, or None."""
    check = row.check
    if check.permission is None or row.state in ("fine", "not_applicable"):
        return None
    if check.mending == "verify_coverage" and row.state == "unknown":  # there is no coverage to verify
        return None
    scope = find_scope(work.actor.roles, *check.permission)
    is_own = row.clinician_id == work.actor.staff_id
    return check.mending if scope in (Scope.ALL, Scope.TEAM) or (scope is Scope.OWN and is_own) else None
