"""Reports that people save: their own, those shared with their roles, and when they are sent to whom."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, or_, select

from practice.errors import FieldProblem, Invalid, NotFound, Stale
from practice.people.access import visible_staff
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today
from practice.reports.measures import MEASURES
from practice.reports.models import ReportDefinition, ReportRecipient
from practice.reports.results import select_visible
from practice.reports.rules import Definition, Schedule, definition_problems, schedule_problems
from practice.security.permissions import MATRIX, Scope, find_scope, require
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

READERS = tuple(sorted({role for record, action, role in MATRIX if (record, action) == ("reports", "read")}))
MAX_SAVED, MAX_RECIPIENTS = 200, 50


@dataclass(frozen=True)
class Change:
    """What somebody changes of a report. None of a field leaves it as it is; an empty schedule ends it."""

    name: str | None = None
    definition: Definition | None = None
    shared_with: Collection[str] | None = None
    schedule: Schedule | None = None
    recipient_ids: Collection[UUID] | None = None
    ends_schedule: bool = False


def list_reports(work: Work, page_request: PageRequest) -> Page:
    """Return the reports of the person and those shared with their roles, by name."""
    query = select(ReportDefinition).where(*is_readable(work))
    sortable = {"name": ReportDefinition.name, "created_at": ReportDefinition.created_at, "id": ReportDefinition.id}
    return fetch_page(work.db, query, page_request, sortable, ReportDefinition.id, "name", lookup=query)


def is_readable(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for reports that the person may see. Those who share see everything that is shared."""
    is_shared = ReportDefinition.shared_with.overlap(sorted(work.actor.roles))
    if may_share(work):
        is_shared = func.cardinality(ReportDefinition.shared_with) > 0
    return (
        ReportDefinition.tenant_id == work.tenant_id,
        ReportDefinition.voided_at.is_(None),
        or_(ReportDefinition.owner_id == work.actor.staff_id, is_shared),
    )


def may_share(work: Work) -> bool:
    return find_scope(work.actor.roles, "reports", "share") is not None


def get_report(work: Work, report_id: UUID) -> ReportDefinition:
    """Return a report that the person may see, or raise NotFound."""
    report = work.db.scalar(select(ReportDefinition).where(*is_readable(work), ReportDefinition.id == report_id))
    if report is None:
        raise NotFound
    return report


def load_recipients(work: Work, report_ids: Sequence[UUID]) -> dict[UUID, list[UUID]]:
    """Return to whom reports are sent."""
    query = select(ReportRecipient).where(
        ReportRecipient.tenant_id == work.tenant_id, ReportRecipient.report_id.in_(report_ids)
    )
    recipients: dict[UUID, list[UUID]] = {report_id: [] for report_id in report_ids}
    for recipient in work.db.scalars(query.order_by(ReportRecipient.staff_id)):
        recipients[recipient.report_id].append(recipient.staff_id)
    return recipients


def save_report(work: Work, change: Change) -> ReportDefinition:
    """Save a report of one's own, or raise Invalid."""
    report = ReportDefinition(
        tenant_id=work.tenant_id,
        id=new_id(),
        owner_id=work.actor.staff_id,
        name="",
        definition={},
        shared_with=[],
        created_at=work.now,
        version=1,
    )
    work.serialize_on("reports")
    own = select(ReportDefinition.id).where(*is_readable(work), ReportDefinition.owner_id == work.actor.staff_id)
    problems = change_problems(work, report, change)
    if len(work.db.scalars(own.limit(MAX_SAVED)).all()) == MAX_SAVED:
        problems.append(FieldProblem("name", f"You have saved {MAX_SAVED} reports. Delete one of them first."))
    raise_for_problems(problems)
    for name, value in build_changes(work, change).items():
        setattr(report, name, value)
    work.db.add(report)
    work.db.flush()
    replace_recipients(work, report, change)
    work.record("report.saved", "report", report.id, shared_with=report.shared_with)
    return report


def change_report(work: Work, report_id: UUID, version: int, change: Change) -> ReportDefinition:
    """Change a report, or raise NotFound, Stale, Invalid or Forbidden. A shared one is changed by those who share."""
    report = lock_report(work, report_id)
    if report.version != version:
        raise Stale
    if report.shared_with:
        require(work.actor.roles, "reports", "share")
    raise_for_problems(change_problems(work, report, change))
    changes = build_changes(work, change)
    update_versioned(report, changes)
    replace_recipients(work, report, change)
    work.record("report.changed", "report", report.id, fields=sorted(changes), shared_with=report.shared_with)
    return report


def delete_report(work: Work, report_id: UUID) -> None:
    """Delete a report, which then is neither listed nor sent. A shared one can also be deleted by those who share."""
    work.void(lock_report(work, report_id), "Deleted")
    work.record("report.deleted", "report", report_id)


def raise_for_problems(problems: Sequence[FieldProblem]) -> None:
    if problems:
        raise Invalid(problems)


def lock_report(work: Work, report_id: UUID) -> ReportDefinition:
    """Lock and return a report that the person may change: their own, or a shared one if they may share."""
    query = select(ReportDefinition).where(*is_readable(work), ReportDefinition.id == report_id)
    if not may_share(work):
        query = query.where(ReportDefinition.owner_id == work.actor.staff_id)
    report = work.db.scalar(query.with_for_update())
    if report is None:
        raise NotFound
    return report


def change_problems(work: Work, report: ReportDefinition, change: Change) -> list[FieldProblem]:
    """Return what is wrong with the change. Only an admin shares."""
    problems = []
    if change.definition is not None:
        beyond = find_definition_problems(work, change.definition)
        problems += [FieldProblem(f"definition.{problem.field}", problem.message) for problem in beyond]
    if change.shared_with:
        require(work.actor.roles, "reports", "share")
    if change.schedule is not None:
        problems += schedule_problems(change.schedule)
        if not change.recipient_ids:
            problems.append(FieldProblem("schedule.recipient_ids", "Choose at least one recipient."))
    shared_with = report.shared_with if change.shared_with is None else change.shared_with
    chosen = set(change.recipient_ids or ())
    if chosen - set(list_possible_recipients(work, report.owner_id, shared_with, chosen)):
        message = "Somebody could not open it. Share it with a role of theirs, or leave them out."
        problems.append(FieldProblem("schedule.recipient_ids", message))
    return problems


def find_definition_problems(work: Work, definition: Definition) -> list[FieldProblem]:
    """Return what is wrong with a definition for this person, who may choose only what they may see."""
    problems = definition_problems(definition)
    known = [MEASURES[key] for key in definition.measures if key in MEASURES]
    visible = select_visible(work, known)
    if hidden := [measure.key for measure in known if measure not in visible]:
        message = f"Your roles do not show these measures: {', '.join(hidden)}. Leave them out."
        problems.append(FieldProblem("measures", message))
    if definition.clinician_ids:
        scope = find_scope(work.actor.roles, "reports", "money") or Scope.OWN
        staff = select(Staff.id).where(Staff.tenant_id == work.tenant_id, Staff.id.in_(definition.clinician_ids))
        found = set(work.db.scalars(staff.where(visible_staff(work, scope, Staff.id))))
        if found != set(definition.clinician_ids):
            problems.append(FieldProblem("clinician_ids", "Not found. Choose yourself or members of your team."))
    return problems


def list_possible_recipients(
    work: Work, owner_id: UUID | None, shared_with: Collection[str], staff_ids: Collection[UUID] | None = None
) -> list[UUID]:
    """Return the present staff who can open the report: its owner, and those with a role that it is shared with."""
    query = select(Staff.id).where(
        Staff.tenant_id == work.tenant_id,
        Staff.deactivated_at.is_(None),
        or_(Staff.left_on.is_(None), Staff.left_on >= local_today(work)),
        or_(Staff.id == owner_id, Staff.roles.overlap(sorted(shared_with))),
        Staff.roles.overlap(list(READERS)),
    )
    return list(work.db.scalars(query if staff_ids is None else query.where(Staff.id.in_(staff_ids))))


def build_changes(work: Work, change: Change) -> dict[str, Any]:
    """Return the columns that a change sets."""
    changes: dict[str, Any] = {}
    if change.name is not None:
        changes["name"] = change.name
    if change.definition is not None:
        changes["definition"] = dump_definition(change.definition)
    if change.shared_with is not None:
        changes["shared_with"] = sorted(set(change.shared_with))
    if (schedule := change.schedule) is not None:
        changes |= {"send_every": schedule.every, "send_day": schedule.day, "send_hour": schedule.hour}
        changes["send_since"] = work.now
    elif change.ends_schedule:
        changes |= dict.fromkeys(("send_every", "send_day", "send_hour", "send_since"))
    return changes


def replace_recipients(work: Work, report: ReportDefinition, change: Change) -> None:
    if change.schedule is None and not change.ends_schedule:
        return
    work.db.execute(
        delete(ReportRecipient).where(
            ReportRecipient.tenant_id == work.tenant_id, ReportRecipient.report_id == report.id
        )
    )
    key = {"tenant_id": work.tenant_id, "report_id": report.id}
    if rows := [key | {"staff_id": staff_id} for staff_id in sorted(set(change.recipient_ids or ()))]:
        work.db.execute(insert(ReportRecipient), rows)


def dump_definition(definition: Definition) -> dict[str, Any]:
    return asdict(definition) | {"clinician_ids": [str(staff_id) for staff_id in definition.clinician_ids]}


def load_definition(values: Mapping[str, Any]) -> Definition:
    """Return the definition of a saved report. A measure that no longer exists is left out."""
    loaded = Definition(**values)
    return replace(
        loaded,
        measures=tuple(key for key in loaded.measures if key in MEASURES),
        clinician_ids=tuple(UUID(str(staff_id)) for staff_id in loaded.clinician_ids),
    )


def find_schedule(report: ReportDefinition) -> Schedule | None:
    """Return when a report is sent, or None."""
    if report.send_every is None or report.send_day is None or report.send_hour is None:
        return None
    return Schedule("week" if report.send_every == "week" else "month", report.send_day, report.send_hour)
