"""Staff: invite, update, deactivate."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import exists, select

from practice.errors import Invalid, NotFound, Refusal, Stale
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.rules.staff import last_admin, role_problems, staff_problems, supervises_in_circle
from practice.security.accounts import account_for, end_membership, invite
from practice.security.models import Membership
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply, refusing


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
    problems = role_problems(roles) + staff_problems(hired_on=hired_on, left_on=None, npi=more.get("npi"))
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
    problems = staff_problems(
        hired_on=changes.get("hired_on", staff.hired_on),
        left_on=changes.get("left_on", staff.left_on),
        npi=changes.get("npi", staff.npi),
    )
    if "roles" in changes:
        problems += role_problems(changes["roles"])
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
    work.serialize_on("supervisors")
    pairs = work.db.execute(select(Staff.id, Staff.supervisor_id).where(Staff.tenant_id == work.tenant_id)).all()
    supervisor_of = {row.id: row.supervisor_id for row in pairs}
    if supervisor_id not in supervisor_of:
        return ["The supervisor is not on the staff."]
    if supervises_in_circle(staff_id, supervisor_id, supervisor_of):
        return ["Nobody can be their own supervisor, directly or over others."]
    return []


def refuse_last_admin(work: Work, leaving: UUID) -> None:
    work.serialize_on("admins")
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
    if last_admin(admins, leaving):
        raise LastAdmin("This is the practice's only admin. Make somebody else an admin first.")


def roles_in(changes: dict[str, Any]) -> dict[str, Any]:
    return {"roles": changes["roles"]} if "roles" in changes else {}
