"""Practices: create, find, change, suspend."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.models.practices import Practice, TimeZoneChange
from practice.people.rules.practices import practice_problems, slugify
from practice.people.staff import StaffInvitation, add_staff
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned


class SlugTaken(Refusal):
    """A practice with this name already exists.

    Fix: choose another name.
    """

    code = "SLUG_TAKEN"


def create_practice(
    work: Work,
    *,
    name: str,
    time_zone: str,
    admin: dict[str, Any],
    npi: str | None = None,
    tax_id: str | None = None,
    by_email: bool = True,
) -> tuple[Practice, StaffInvitation]:
    """Create a practice and invite its first admin. `work` has to belong to the installation."""
    problems = practice_problems(name, time_zone, npi)
    if problems:
        raise Invalid(problems)
    practice = Practice(
        id=new_id(), name=name.strip(), slug=slugify(name), time_zone=time_zone, npi=npi, created_at=work.now
    )
    work.db.add(practice)
    with on_conflict(
        "uq_practices_slug",
        SlugTaken(f"A practice with this name already exists ({practice.slug}). Choose another name."),
    ):
        work.db.flush()
    work.record("practice.created", "practice", practice.id)
    with work.in_practice(practice.id) as inside:
        practice.tax_id = inside.seal("practices", "tax_id", practice.id, tax_id)
        inside.record("practice.created", "practice", practice.id)
        today = work.now.astimezone(ZoneInfo(time_zone)).date()
        invitation = add_staff(inside, roles=["admin"], hired_on=today, by_email=by_email, **admin)
    return practice, invitation


def find_practice(db: Session, reference: str) -> Practice:
    """Return the practice with an id, slug or name, as written on a command line, or raise PracticeNotFound.

    The slug comes from the first name; a practice that was renamed is also found by its new name, if no other has it.
    """
    query = select(Practice)
    try:
        practice = db.scalar(query.where(Practice.id == UUID(reference)))
    except ValueError:
        practice = db.scalar(query.where(Practice.slug == slugify(reference)))
        if practice is None:
            renamed = db.scalars(query.where(func.lower(Practice.name) == reference.strip().lower()).limit(2)).all()
            practice = renamed[0] if len(renamed) == 1 else None
    if practice is None:
        slugs = ", ".join(db.scalars(select(Practice.slug).order_by(Practice.slug).limit(10))) or "none yet"
        raise PracticeNotFound(f"Practice not found: {reference!r}. Existing practices: {slugs}.")
    return practice


class PracticeNotFound(Refusal):
    """No practice has this id or short name.

    Fix: choose one of those that the message lists.
    """

    code = "NO_SUCH_PRACTICE"
    status = 404


def list_all_practices(db: Session) -> Sequence[Practice]:
    """Return every practice of the installation, by its short name."""
    return db.scalars(select(Practice).order_by(Practice.slug)).all()


def list_active_practice_ids(db: Session) -> Sequence[UUID]:
    """Return the practices that are not suspended, by their short name."""
    return db.scalars(select(Practice.id).where(Practice.status == "ACTIVE").order_by(Practice.slug)).all()


def list_practices(db: Session, page_request: PageRequest) -> Page:
    sortable = {"name": Practice.name, "created_at": Practice.created_at, "id": Practice.id}
    return fetch_page(db, select(Practice), page_request, sortable, Practice.id, "name")


def get_practice(db: Session, practice_id: UUID) -> Practice:
    practice = db.get(Practice, practice_id)
    if practice is None:
        raise NotFound
    return practice


def change_practice(work: Work, practice_id: UUID, version: int, changes: dict[str, Any]) -> Practice:
    """Change name, time zone, numbers or status. Suspending a practice blocks all sign-ins from the next request on."""
    practice = work.db.scalar(select(Practice).where(Practice.id == practice_id).with_for_update())
    if practice is None:
        raise NotFound
    if practice.version != version:
        raise Stale
    proposed = {name: changes.get(name, getattr(practice, name)) for name in ("name", "time_zone", "npi")}
    problems = practice_problems(**proposed)
    if problems:
        raise Invalid(problems)
    with work.in_practice(practice_id) as inside:
        if "tax_id" in changes:
            changes["tax_id"] = inside.seal("practices", "tax_id", practice_id, changes["tax_id"])
        if proposed["time_zone"] != practice.time_zone:
            add_zone_change(inside, practice, proposed["time_zone"])
        update_versioned(practice, changes)
        inside.record("practice.changed", "practice", practice_id, fields=sorted(changes))
    return practice


def add_zone_change(work: Work, practice: Practice, time_zone: str) -> None:
    """Store the moment of a change of the time zone: what happened before keeps its local date."""
    latest = work.db.scalar(
        select(func.max(TimeZoneChange.changed_at)).where(TimeZoneChange.tenant_id == work.tenant_id)
    )
    work.db.add(
        TimeZoneChange(
            tenant_id=work.tenant_id,
            id=new_id(),
            changed_at=work.now if latest is None else max(work.now, latest + timedelta.resolution),
            old_zone=practice.time_zone,
            new_zone=time_zone,
            changed_by=work.actor.account_id,
        )
    )


def list_zone_changes(work: Work) -> Sequence[TimeZoneChange]:
    """Return the changes of the practice's time zone, latest first."""
    query = select(TimeZoneChange).where(TimeZoneChange.tenant_id == work.tenant_id)
    return work.db.scalars(query.order_by(TimeZoneChange.changed_at.desc())).all()


class Identity(NamedTuple):
    """What a signed-in person and their practice are called, and where its clocks are; null outside a practice."""

    name: str | None = None
    practice_name: str | None = None
    time_zone: str | None = None


def load_identity(work: Work) -> Identity:
    """Return the names of the actor and of their practice, and its time zone."""
    query = text("""
        select coalesce(s.first_name || ' ' || s.last_name, c.first_name || ' ' || c.last_name), p.name, p.time_zone
        from practices as p
        left join staff as s on s.tenant_id = p.id and s.id = cast(:staff_id as uuid)
        left join clients as c on c.tenant_id = p.id and c.id = cast(:client_id as uuid)
        where p.id = :tenant_id
    """)
    actor = work.actor
    ids = {"tenant_id": work.tenant_id, "staff_id": actor.staff_id, "client_id": actor.client_id}
    row = work.db.execute(query, ids).one_or_none()
    return Identity(*row) if row else Identity()
