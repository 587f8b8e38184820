"""Verbs about practices and their staff: create, suspend, invite, change, deactivate, record a training."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.models.practices import Practice
from practice.people.rules.practices import practice_problems, slug_of
from practice.people.staff import Invited, add_staff
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing


class SlugTaken(Refusal):
    code = "SLUG_TAKEN"


# Practices


def create_practice(
    work: Work, *, name: str, time_zone: str, admin: dict[str, Any], npi: str | None = None, tax_id: str | None = None
) -> tuple[Practice, Invited]:
    """A practice and its first admin, who is invited. The work is the installation's own."""
    problems = practice_problems(name, time_zone, npi)
    if problems:
        raise Invalid(problems)
    practice = Practice(
        id=new_id(), name=name.strip(), slug=slug_of(name), time_zone=time_zone, npi=npi, created_at=work.now
    )
    work.db.add(practice)
    with refusing("uq_practices_slug", SlugTaken(f"A practice is called like that already ({practice.slug}).")):
        work.db.flush()
    work.record("practice.created", "practice", practice.id)
    with work.inside(practice.id) as inside:
        practice.tax_id = inside.seal("practices", "tax_id", practice.id, tax_id)
        inside.record("practice.created", "practice", practice.id)
        today = work.now.astimezone(ZoneInfo(time_zone)).date()
        invited = add_staff(inside, roles=["admin"], hired_on=today, **admin)
    return practice, invited


def find_practice(db: Session, wanted: str) -> Practice:
    """By id, slug or name, as a person would write it on a command line."""
    query = select(Practice)
    try:
        found = db.scalar(query.where(Practice.id == UUID(wanted)))
    except ValueError:
        found = db.scalar(query.where(Practice.slug == slug_of(wanted)))
    if found is None:
        known = ", ".join(db.scalars(select(Practice.slug).order_by(Practice.slug).limit(10))) or "none yet"
        raise NoSuchPractice(f"There is no practice {wanted!r}. Known ones: {known}.")
    return found


class NoSuchPractice(Refusal):
    code = "NO_SUCH_PRACTICE"
    status = 404


def list_practices(db: Session, asked: PageRequest) -> Page:
    sortable = {"name": Practice.name, "created_at": Practice.created_at, "id": Practice.id}
    return page_of(db, select(Practice), asked, sortable, Practice.id, "name")


def get_practice(db: Session, practice_id: UUID) -> Practice:
    practice = db.get(Practice, practice_id)
    if practice is None:
        raise NotFound
    return practice


def change_practice(work: Work, practice_id: UUID, version: int, changes: dict[str, Any]) -> Practice:
    """Name, time zone, numbers, or status. A suspended practice lets nobody in, from the next request on."""
    practice = work.db.scalar(select(Practice).where(Practice.id == practice_id).with_for_update())
    if practice is None:
        raise NotFound
    if practice.version != version:
        raise Stale
    after = {name: changes.get(name, getattr(practice, name)) for name in ("name", "time_zone", "npi")}
    problems = practice_problems(**after)
    if problems:
        raise Invalid(problems)
    with work.inside(practice_id) as inside:
        if "tax_id" in changes:
            changes["tax_id"] = inside.seal("practices", "tax_id", practice_id, changes["tax_id"])
        apply(practice, changes)
        inside.record("practice.changed", "practice", practice_id, fields=sorted(changes))
    return practice


# Staff
