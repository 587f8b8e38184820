"""Replacing a practice by an import: an untouched import of the same name is suspended and renamed."""

from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from practice.errors import Refusal
from practice.messages.outbox import cancel_all_pending
from practice.people.models.practices import Practice
from practice.people.rules.practices import slugify
from practice.security.accounts import end_all_memberships
from practice.security.retired_actions import list_names
from practice.security.work import Work
from practice.store.records import update_versioned


class PracticeExists(Refusal):
    """A practice with the name of the bundle already exists.

    Fix: change the name in `practice.csv`, or import with `--replace`.
    """

    code = "PRACTICE_EXISTS"


class NotReplaceable(Refusal):
    """The practice was not imported, or somebody has worked in it.

    Fix: import under another name.
    """

    code = "NOT_REPLACEABLE"


# Reading, signing in and exporting leave the record as it was imported, and scheduled jobs are nobody's work. An action
# that is missing here only prevents a replacement. A pattern instead of a list takes work for reading: for example,
# `note.verified` reads but `coverage.verified` changes.
HARMLESS_ACTIONS = (
    "access.denied",
    "appointment.previewed",
    "appointment.read",
    "appointments.listed",
    "audit.searched",
    "audit.verified",
    "availability.free_slots",
    "availability.read",
    "calendar.read",
    "charge.entries_read",
    "client.read",
    "clients.listed",
    "clients.searched",
    "deadlines.recorded",
    "deletion.read",
    "deletions.listed",
    "document.downloaded",
    "document.read",
    "export.deleted",
    "export.downloaded",
    "export.expired",
    "export.made",
    "export.started",
    "incident.read",
    "intake.listed",
    "intake.read",
    "job.failed",
    "ledger.read",
    "membership.accepted",
    "mfa.enrolled",
    "mfa.enrollment_begun",
    "mfa.recovery_code_used",
    "mfa.recovery_codes_renewed",
    "mfa.reset",
    "note.found",
    "note.history_read",
    "note.read",
    "note.verified",
    "notes.listed",
    "notes.searched",
    "password.reset_asked",
    "password.set",
    "pay.previewed",
    "pay_multipliers.listed",
    "pay_period.exported",
    "pay_period.read",
    "pay_periods.listed",
    "pay_rates.read",
    "pay_statement.read",
    "pay_statements.listed",
    "payment.entries_read",
    "plans.listed",
    "practice.exported",
    "progress_report.history_read",
    "progress_report.printed",
    "progress_report.read",
    "progress_reports.listed",
    "progress_reports.searched",
    "receivables.read",
    "request.replayed",
    "reschedule.listed",
    "reschedule.read",
    "session.ended",
    "session.refresh_token_reused",
    "session.started",
    "session_analytics.read",
    "session_completion.read",
    "session_completions.listed",
    "sign_in.failed",
    "supervision.read",
    "treatment_plan.read",
    "treatment_plan.review_read",
    "waitlist.listed",
    "waitlist.read",
)
HISTORY = text("""
    select
        min(action) filter (where seq = 1) = 'practice.imported' as imported,
        count(*) filter (where seq > 1 and action <> all(:harmless)) as changes
    from audit_log where tenant_id = :tenant_id
""")


def refuse_or_set_aside(work: Work, name: str, *, replace: bool) -> None:
    """Set aside a practice of the same name, or raise PracticeExists or NotReplaceable."""
    slug = slugify(name)
    practice = work.db.scalar(select(Practice).where(Practice.slug == slug).with_for_update())
    if practice is None:
        return
    if not replace:
        raise PracticeExists(
            f"The practice {slug} already exists. Nothing was changed. Change the name in practice.csv, or import with "
            "--replace if the practice was made by an import and nobody has worked in it."
        )
    parameters = {"tenant_id": practice.id, "harmless": list_names(HARMLESS_ACTIONS)}
    with work.in_practice(practice.id) as practice_work:
        history = practice_work.db.execute(HISTORY, parameters).one()
        if not history.imported or history.changes:
            reason = "somebody has worked in it" if history.imported else "it was not made by an import"
            raise NotReplaceable(f"The practice {slug} cannot be replaced because {reason}. Nothing was changed.")
        set_aside(practice_work, practice)
    work.record("practice.replaced", "practice", practice.id)


def set_aside(work: Work, practice: Practice) -> None:
    """Suspend and rename a practice, end all its memberships and cancel its messages, such as reminders.

    No record is lost, and nobody works in the wrong practice.
    """
    today = work.now.astimezone(ZoneInfo(practice.time_zone)).date()
    name = find_free_name(work, f"{practice.name} (replaced {today})")
    update_versioned(practice, {"name": name, "slug": slugify(name), "status": "SUSPENDED"})
    end_all_memberships(work)
    cancel_all_pending(work)
    work.record("practice.replaced", "practice", practice.id)
    work.db.flush()


def find_free_name(work: Work, name: str) -> str:
    """Return the name, with a number if it is taken: a practice can be replaced twice in a day."""
    taken_slugs = set(work.db.scalars(select(Practice.slug).where(Practice.slug.startswith(slugify(name)))))
    names = [name, *(f"{name} {number}" for number in range(2, len(taken_slugs) + 2))]
    return next(name for name in names if slugify(name) not in taken_slugs)
