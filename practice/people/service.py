"""Verbs about practices and their staff: create, suspend, invite, change, deactivate, record a training."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.people import rules
from practice.people.client_models import Client
from practice.people.models import Practice, Staff, Training
from practice.security.accounts import account_for, end_membership, invite
from practice.security.models import Membership
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of


class NotFound(Refusal):
    code = "NOT_FOUND"
    status = 404

    def __init__(self) -> None:
        super().__init__("There is nothing here with this id, or it is not yours to see.")


class Invalid(Refusal):
    """Everything that is wrong with what was sent, at once."""

    code = "VALIDATION_ERROR"
    status = 422

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems), problems=problems)


class Stale(Refusal):
    code = "STALE"
    status = 412

    def __init__(self) -> None:
        super().__init__("Somebody changed this since you read it. Read it again and repeat your change.")


class SlugTaken(Refusal):
    code = "SLUG_TAKEN"


class AlreadyOnStaff(Refusal):
    code = "ALREADY_ON_STAFF"


class LastAdmin(Refusal):
    code = "LAST_ADMIN"


class IsAClient(Refusal):
    code = "IS_A_CLIENT"


@dataclass(frozen=True)
class Invited:
    """Somebody new, and the secret that lets them in once."""

    staff: Staff
    secret: str


# Practices


def create_practice(
    work: Work, *, name: str, time_zone: str, admin: dict[str, Any], npi: str | None = None, tax_id: str | None = None
) -> tuple[Practice, Invited]:
    """A practice and its first admin, who is invited. The work is the installation's own."""
    problems = rules.practice_problems(name, time_zone, npi)
    if problems:
        raise Invalid(problems)
    practice = Practice(
        id=new_id(), name=name.strip(), slug=rules.slug_of(name), time_zone=time_zone, npi=npi, created_at=work.now
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
        found = db.scalar(query.where(Practice.slug == rules.slug_of(wanted)))
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
    problems = rules.practice_problems(**after)
    if problems:
        raise Invalid(problems)
    with work.inside(practice_id) as inside:
        if "tax_id" in changes:
            changes["tax_id"] = inside.seal("practices", "tax_id", practice_id, changes["tax_id"])
        apply(practice, changes)
        inside.record("practice.changed", "practice", practice_id, fields=sorted(changes))
    return practice


# Staff


def list_staff(work: Work, asked: PageRequest, *, role: str | None = None, active: bool | None = None) -> Page:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id)
    if role is not None:
        query = query.where(Staff.roles.contains([role]))
    if active is not None:
        query = query.where(Staff.deactivated_at.is_(None) if active else Staff.deactivated_at.is_not(None))
    sortable = {"last_name": Staff.last_name, "hired_on": Staff.hired_on, "id": Staff.id}
    return page_of(work.db, query, asked, sortable, Staff.id, "last_name")


def get_staff(work: Work, staff_id: UUID) -> Staff:
    found = work.db.get(Staff, (work.tenant_id, staff_id))
    if found is None:
        raise NotFound
    return found


def add_staff(
    work: Work,
    *,
    email: str,
    first_name: str,
    last_name: str,
    roles: list[str],
    hired_on: date,
    supervisor_id: UUID | None = None,
    **more: Any,
) -> Invited:
    """Put somebody on the staff and invite them. They come in once they have taken the invitation."""
    problems = rules.role_problems(roles) + rules.staff_problems(hired_on=hired_on, left_on=None, npi=more.get("npi"))
    if supervisor_id is not None and work.db.get(Staff, (work.tenant_id, supervisor_id)) is None:
        problems.append("The supervisor is not on the staff.")
    if problems:
        raise Invalid(problems)
    account = account_for(work.db, email.strip().lower(), work.now)
    refuse_client(work, account.id)
    staff = Staff(
        tenant_id=work.tenant_id,
        id=new_id(),
        account_id=account.id,
        email=account.email,
        first_name=first_name,
        last_name=last_name,
        roles=sorted(set(roles)),
        hired_on=hired_on,
        supervisor_id=supervisor_id,
        created_at=work.now,
        **more,
    )
    work.db.add(staff)
    taken = AlreadyOnStaff("Somebody with this e-mail address is on the staff already. Change their record instead.")
    with refusing("uq_staff_tenant_id_account_id", taken):
        work.db.flush()
    secret = invite(work, account)
    work.record("staff.added", "staff", staff.id, roles=staff.roles)
    return Invited(staff, secret)


def invite_again(work: Work, staff_id: UUID) -> Invited:
    """A new invitation for somebody who lost the first, or who comes back."""
    staff = lock_staff(work, staff_id)
    account = account_for(work.db, staff.email, work.now)
    refuse_client(work, account.id)
    if staff.deactivated_at is not None:
        apply(staff, {"deactivated_at": None, "left_on": None})
    secret = invite(work, account)
    work.record("staff.invited", "staff", staff_id)
    return Invited(staff, secret)


def refuse_client(work: Work, account_id: UUID) -> None:
    """An account is one person, and one thing in a practice: closing a client's portal must not lock out staff."""
    query = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.account_id == account_id)
    if work.db.scalar(query) is not None:
        raise IsAClient("A client of this practice signs in with this e-mail address. Use another one for the staff.")


def change_staff(work: Work, staff_id: UUID, version: int, changes: dict[str, Any]) -> Staff:
    staff = lock_staff(work, staff_id)
    if staff.version != version:
        raise Stale
    problems = rules.staff_problems(
        hired_on=changes.get("hired_on", staff.hired_on),
        left_on=changes.get("left_on", staff.left_on),
        npi=changes.get("npi", staff.npi),
    )
    if "roles" in changes:
        problems += rules.role_problems(changes["roles"])
        changes["roles"] = sorted(set(changes["roles"]))
    supervisor_id = changes.get("supervisor_id")
    if supervisor_id is not None:
        problems += supervisor_problems(work, staff_id, supervisor_id)
    if problems:
        raise Invalid(problems)
    if "admin" in staff.roles and ("admin" not in changes.get("roles", staff.roles) or changes.get("left_on")):
        refuse_last_admin(work, staff_id)
    apply(staff, changes)
    work.record("staff.changed", "staff", staff_id, fields=sorted(changes), **roles_in(changes))
    return staff


def deactivate_staff(work: Work, staff_id: UUID, left_on: date) -> Staff:
    """Their record stays; they are out at once, wherever they are signed in to this practice."""
    staff = lock_staff(work, staff_id)
    if staff.deactivated_at is not None:
        return staff
    if left_on < staff.hired_on:
        raise Invalid(["The last day lies before the first one."])
    if "admin" in staff.roles:
        refuse_last_admin(work, staff_id)
    apply(staff, {"left_on": left_on, "deactivated_at": work.now})
    end_membership(work, staff.account_id)
    work.record("staff.deactivated", "staff", staff_id)
    return staff


def lock_staff(work: Work, staff_id: UUID) -> Staff:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    # the key stays: whoever refers to this person meanwhile, such as their supervisee, need not wait (or deadlock)
    staff = work.db.scalar(query.with_for_update(key_share=True))
    if staff is None:
        raise NotFound
    return staff


def supervisor_problems(work: Work, staff_id: UUID, supervisor_id: UUID) -> list[str]:
    one_by_one(work, "supervisors")
    pairs = work.db.execute(select(Staff.id, Staff.supervisor_id).where(Staff.tenant_id == work.tenant_id)).all()
    supervisor_of = {row.id: row.supervisor_id for row in pairs}
    if supervisor_id not in supervisor_of:
        return ["The supervisor is not on the staff."]
    if rules.supervises_in_circle(staff_id, supervisor_id, supervisor_of):
        return ["Nobody can be their own supervisor, directly or over others."]
    return []


def refuse_last_admin(work: Work, leaving: UUID) -> None:
    one_by_one(work, "admins")
    admins = work.db.scalars(
        select(Staff.id).where(
            Staff.tenant_id == work.tenant_id,
            Staff.roles.contains(["admin"]),
            Staff.deactivated_at.is_(None),
            Staff.left_on.is_(None),
            exists().where(
                Membership.account_id == Staff.account_id,
                Membership.tenant_id == Staff.tenant_id,
                Membership.accepted_at.is_not(None),
                Membership.ended_at.is_(None),
            ),
        )
    )
    if rules.last_admin(admins, leaving):
        raise LastAdmin("This is the practice's only admin. Make somebody else an admin first.")


def one_by_one(work: Work, what: str) -> None:
    """For a rule over several rows: two who each change one of them at the same moment wait here for one another."""
    work.db.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:what, 0))"), {"what": f"{what} {work.tenant_id}"}
    )


# Trainings


def list_trainings(work: Work, staff_id: UUID, scope: Scope) -> list[Training]:
    refuse_beyond(work, staff_id, scope)
    query = select(Training).where(Training.tenant_id == work.tenant_id, Training.staff_id == staff_id)
    return list(work.db.scalars(query.order_by(Training.completed_on.desc(), Training.id)))


def record_training(work: Work, staff_id: UUID, scope: Scope, kind: str, completed_on: date) -> Training:
    refuse_beyond(work, staff_id, scope)
    if completed_on > local_today(work):
        raise Invalid(["A training that lies in the future is not completed."])
    training = Training(
        tenant_id=work.tenant_id,
        id=new_id(),
        staff_id=staff_id,
        kind=kind,
        completed_on=completed_on,
        recorded_at=work.now,
    )
    work.db.add(training)
    work.record("training.recorded", "staff", staff_id, kind=kind)
    return training


def refuse_beyond(work: Work, staff_id: UUID, scope: Scope) -> None:
    """What is not yours to see is as if it were not there."""
    staff = get_staff(work, staff_id)
    mine = staff_id == work.actor.staff_id
    if (scope is Scope.OWN and not mine) or (
        scope is Scope.TEAM and not mine and staff.supervisor_id != work.actor.staff_id
    ):
        raise NotFound


def zone_of(work: Work) -> ZoneInfo:
    return ZoneInfo(work.db.scalar(select(Practice.time_zone).where(Practice.id == work.tenant_id)) or "UTC")


def local_today(work: Work) -> date:
    return work.now.astimezone(zone_of(work)).date()


@contextmanager
def refusing(constraint: str, refusal: Refusal) -> Generator[None]:
    """Turn the database's no at this constraint into a sentence. Any other no stays an error."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != constraint:
            raise
        raise refusal from None


def apply(record: Any, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(record, name, value)
    record.version += 1


def void(work: Work, record: Any, reason: str) -> None:
    record.voided_at, record.voided_by, record.void_reason = work.now, work.actor.account_id, reason


def roles_in(changes: dict[str, Any]) -> dict[str, Any]:
    return {"roles": changes["roles"]} if "roles" in changes else {}
