"""Practices: create, find, change, suspend."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.models.practices import Practice
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
    """Return the practice with an id, slug or name, as written on a command line, or raise PracticeNotFound."""
    query = select(Practice)
    try:
        practice = db.scalar(query.where(Practice.id == UUID(reference)))
    except ValueError:
        practice = db.scalar(query.where(Practice.slug == slugify(reference)))
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
        update_versioned(practice, changes)
        inside.record("practice.changed", "practice", practice_id, fields=sorted(changes))
    return practice
