"""Staff: invite, update, deactivate."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, false, func, or_, select, text

from practice.errors import FieldProblem, Invalid, NotFound, Refusal, Stale
from practice.people.models.clients import Client
from practice.people.models.practices import Staff
from practice.people.practice_time import local_today, zone_of
from practice.people.rules.staff import (
    is_active_supervisor,
    is_last_admin,
    is_supervision_cycle,
    last_day_problems,
    return_problems,
    role_problems,
    staff_problems,
)
from practice.security.accounts import end_membership, ensure_account, invite_by_email, issue_invitation
from practice.security.models import Account, Membership
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import on_conflict, update_versioned

# An admin's access today is in the staff record; for that of the last day the record's earlier versions count too.
OTHER_ADMIN = text("""
    select exists (
        select from staff as s
        join memberships as b on b.tenant_id = s.tenant_id and b.account_id = s.account_id
        where s.tenant_id = :tenant_id and s.id <> :own_id
            and (b.ended_at is null or b.ended_at > :since)
            and (
                'admin' = any(s.roles) and s.deactivated_at is null and (s.left_on is null or s.left_on >= :today)
                or exists (
                    select from (
                        select
                            record_values as v,
                            lead(coalesce(known_at, '-infinity')) over (order by known_at nulls first, id) as until
                        from record_versions
                        where tenant_id = :tenant_id and record_kind = 'staff' and record_id = s.id
                    ) as version
                    where (until is null or until > :since)
                        and v -> 'roles' @> '["admin"]' and v ->> 'deactivated_at' is null
                        and coalesce(cast(v ->> 'left_on' as date), 'infinity') >= :yesterday
                )
            )
    )
""")
NO_SUCH_SUPERVISOR = "Not found. Choose a member of the staff."


class AlreadyOnStaff(Refusal):
    """A staff member with this email address already exists.

    Fix: change their record instead.
    """

    code = "ALREADY_ON_STAFF"


class LastAdmin(Refusal):
    """The staff member is the only admin of the practice.

    Fix: make another staff member an admin first.
    """

    code = "LAST_ADMIN"


class SelfGrant(Refusal):
    """The caller would give themselves a role, or the supervision of somebody, and with it access to records.

    Fix: ask another admin to do it. The only admin of a practice, since a day or longer, states a reason in `X-Reason`.
    """

    code = "SELF_GRANT"
    status = 403


class IsAClient(Refusal):
    """A client of the practice signs in with this email address.

    Fix: use a different one for staff.
    """

    code = "IS_A_CLIENT"


class StaffLeft(Refusal):
    """The staff member has left, and an invitation alone does not employ them again.

    Fix: rehire them with `POST /staff/{id}/rehire`, which also invites them.
    """

    code = "STAFF_LEFT"


class StaffNotLeft(Refusal):
    """The staff member has not left.

    Fix: send a new invitation with `POST /staff/{id}/invite`, or correct `left_on`.
    """

    code = "STAFF_NOT_LEFT"


@dataclass(frozen=True)
class StaffInvitation:
    """An invited staff member, and the secret of the link unless it went to them by email."""

    staff: Staff
    secret: str | None


def list_staff(work: Work, page_request: PageRequest, *, role: str | None = None, active: bool | None = None) -> Page:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id)
    if role is not None:
        query = query.where(Staff.roles.contains([role]))
    if active is not None:
        is_gone = or_(Staff.deactivated_at.is_not(None), func.coalesce(Staff.left_on < local_today(work), false()))
        query = query.where(~is_gone if active else is_gone)
    sortable = {"last_name": Staff.last_name, "hired_on": Staff.hired_on, "id": Staff.id}
    return fetch_page(work.db, query, page_request, sortable, Staff.id, "last_name")


def load_staff_names(work: Work) -> dict[UUID, str]:
    """Return the names of all staff by id, also of those who have left."""
    query = select(Staff.id, Staff.first_name + " " + Staff.last_name).where(Staff.tenant_id == work.tenant_id)
    return dict(work.db.execute(query).all())


def get_staff(work: Work, staff_id: UUID) -> Staff:
    staff = work.db.get(Staff, (work.tenant_id, staff_id))
    if staff is None:
        raise NotFound
    return staff


def add_staff(
    work: Work,
    *,
    email: str,
    first_name: str,
    last_name: str,
    roles: list[str],
    hired_on: date,
    supervisor_id: UUID | None = None,
    reason: str | None = None,
    by_email: bool = True,
    **fields: Any,
) -> StaffInvitation:
    """Add a staff member and invite them. They have access once they accept the invitation."""
    problems = role_problems(roles) + staff_problems(hired_on=hired_on, left_on=None, npi=fields.get("npi"))
    if supervisor_id is not None:
        problems += supervisor_problems(work, None, supervisor_id)
    if problems:
        raise Invalid(problems)
    self_grant = refuse_self_grant(work, supervisor_id == work.actor.staff_id, reason)
    account = ensure_account(work.db, email.strip().lower(), work.now)
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
        **fields,
    )
    work.db.add(staff)
    taken = AlreadyOnStaff("A staff member with this email address already exists. Change their record instead.")
    with on_conflict("uq_staff_tenant_id_account_id", taken):
        work.db.flush()
    work.record("staff.added", "staff", staff.id, roles=staff.roles, **self_grant)
    return invite(work, staff, account, by_email=by_email)


def reinvite_staff(work: Work, staff_id: UUID, *, by_email: bool = True) -> StaffInvitation:
    """Invite a staff member again who lost the invitation, or raise StaffLeft."""
    staff = lock_staff(work, staff_id)
    if has_left(staff, local_today(work)):
        raise StaffLeft("This staff member has left. Rehire them instead (`POST /staff/{id}/rehire`).")
    account = ensure_account(work.db, staff.email, work.now)
    refuse_client(work, account.id)
    work.record("staff.invited", "staff", staff_id)
    return invite(work, staff, account, by_email=by_email)


def rehire_staff(work: Work, staff_id: UUID, returned_on: date, *, by_email: bool = True) -> StaffInvitation:
    """Employ a staff member again who has left, and invite them. Their last day is in the audit entry only."""
    staff = lock_staff(work, staff_id)
    today = local_today(work)
    if not has_left(staff, today):
        raise StaffNotLeft("This staff member has not left. Send a new invitation, or correct `left_on`.")
    problems = return_problems(returned_on, staff.left_on, today)
    if problems:
        raise Invalid(problems)
    account = ensure_account(work.db, staff.email, work.now)
    refuse_client(work, account.id)
    left_on = staff.left_on.isoformat() if staff.left_on else None
    update_versioned(staff, {"deactivated_at": None, "left_on": None})
    work.record("staff.rehired", "staff", staff_id, left_on=left_on, returned_on=returned_on.isoformat())
    return invite(work, staff, account, by_email=by_email)


def has_left(staff: Staff, today: date) -> bool:
    return staff.deactivated_at is not None or (staff.left_on is not None and staff.left_on < today)


def invite(work: Work, staff: Staff, account: Account, *, by_email: bool) -> StaffInvitation:
    if by_email:
        invite_by_email(work, account)
    return StaffInvitation(staff, None if by_email else issue_invitation(work, account))


def refuse_client(work: Work, account_id: UUID) -> None:
    """Raise IsAClient if the account is a client's: closing their portal must not lock out staff."""
    query = select(Client.id).where(Client.tenant_id == work.tenant_id, Client.account_id == account_id)
    if work.db.scalar(query) is not None:
        raise IsAClient("A client of this practice signs in with this email address. Use a different one for staff.")


def change_staff(work: Work, staff_id: UUID, version: int, changes: dict[str, Any], reason: str | None = None) -> Staff:
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
    if supervisor_id not in (None, staff.supervisor_id):
        problems += supervisor_problems(work, staff_id, supervisor_id)
    if problems:
        raise Invalid(problems)
    if "roles" in changes or "left_on" in changes:
        work.serialize_on("supervisors")  # nobody gets a supervisor who is just leaving
    if "admin" in staff.roles and ("admin" not in changes.get("roles", staff.roles) or changes.get("left_on")):
        refuse_last_admin(work, staff_id)
    own_id = work.actor.staff_id
    gains_role = staff_id == own_id and not set(changes.get("roles", [])) <= set(staff.roles)
    becomes_supervisor = supervisor_id == own_id != staff.supervisor_id
    self_grant = refuse_self_grant(work, gains_role or becomes_supervisor, reason)
    update_versioned(staff, changes)
    work.record("staff.changed", "staff", staff_id, fields=sorted(changes), **role_detail(changes), **self_grant)
    return staff


def deactivate_staff(work: Work, staff_id: UUID, left_on: date) -> Staff:
    """End a staff member's access immediately in all their sessions. Their record stays.

    Of somebody who is deactivated already, another last day is a correction.
    """
    staff = lock_staff(work, staff_id)
    if staff.deactivated_at is not None and staff.left_on == left_on:
        return staff
    problems = last_day_problems(left_on, staff.hired_on, local_today(work))
    if problems:
        raise Invalid(problems)
    if staff.deactivated_at is not None:
        former = staff.left_on.isoformat() if staff.left_on else None
        update_versioned(staff, {"left_on": left_on})
        work.record("staff.last_day_changed", "staff", staff_id, former=former, left_on=left_on.isoformat())
        return staff
    work.serialize_on("supervisors")
    if "admin" in staff.roles:
        refuse_last_admin(work, staff_id)
    update_versioned(staff, {"left_on": left_on, "deactivated_at": work.now})
    end_membership(work, staff.account_id)
    work.record("staff.deactivated", "staff", staff_id)
    return staff


def lock_staff(work: Work, staff_id: UUID) -> Staff:
    query = select(Staff).where(Staff.tenant_id == work.tenant_id, Staff.id == staff_id)
    # FOR NO KEY UPDATE: inserts that reference this person, such as a supervisee, neither wait nor deadlock
    staff = work.db.scalar(query.with_for_update(key_share=True))
    if staff is None:
        raise NotFound
    return staff


def supervisor_problems(work: Work, staff_id: UUID | None, supervisor_id: UUID) -> list[FieldProblem]:
    """Return why the person cannot become the supervisor of the staff member, who is None if new."""
    work.serialize_on("supervisors")
    columns = (Staff.id, Staff.supervisor_id, Staff.roles, Staff.left_on, Staff.deactivated_at)
    people = {row.id: row for row in work.db.execute(select(*columns).where(Staff.tenant_id == work.tenant_id))}
    supervisor = people.get(supervisor_id)
    if supervisor is None:
        return [FieldProblem("supervisor_id", NO_SUCH_SUPERVISOR)]
    if not is_active_supervisor(
        supervisor.roles, supervisor.left_on, local_today(work), deactivated=supervisor.deactivated_at is not None
    ):
        message = "This person is not an active supervisor. Choose somebody with the role supervisor."
        return [FieldProblem("supervisor_id", message)]
    if is_supervision_cycle(staff_id, supervisor_id, {row.id: row.supervisor_id for row in people.values()}):
        message = "Staff members cannot supervise themselves, directly or through others. Choose another supervisor."
        return [FieldProblem("supervisor_id", message)]
    return []


def list_unsupervised(work: Work, staff: Staff) -> list[Staff]:
    """Return the active supervisees of somebody who leaves or is no supervisor: they need another one."""
    if can_supervise_on(staff):
        return []
    today = local_today(work)
    query = select(Staff).where(
        Staff.tenant_id == work.tenant_id,
        Staff.supervisor_id == staff.id,
        Staff.deactivated_at.is_(None),
        or_(Staff.left_on.is_(None), Staff.left_on >= today),
    )
    return list(work.db.scalars(query.order_by(Staff.last_name, Staff.id)))


def can_supervise_on(staff: Staff) -> bool:
    """Return whether the staff member is a supervisor who stays."""
    return "supervisor" in staff.roles and staff.deactivated_at is None and staff.left_on is None


def refuse_self_grant(work: Work, extends_own_access: bool, reason: str | None) -> dict[str, Any]:
    """Return the details for the audit log, or raise SelfGrant: another admin decides, or the only one says why."""
    if not extends_own_access or work.actor.staff_id is None:
        return {}
    if has_other_admin(work, work.actor.staff_id):
        raise SelfGrant("You cannot extend your own access. Ask another admin of the practice to do it.")
    if reason is None:
        raise SelfGrant("This extends your own access, and you are the only admin. State the reason in X-Reason.")
    return {"self_granted": True, "reason": reason}


def has_other_admin(work: Work, staff_id: UUID) -> bool:
    """Return whether another admin has access or had it within the last day: removing them gives no free hand."""
    since = work.now - timedelta(days=1)
    zone = zone_of(work)
    days = {"today": work.now.astimezone(zone).date(), "yesterday": since.astimezone(zone).date()}
    return bool(work.db.scalar(OTHER_ADMIN, {"tenant_id": work.tenant_id, "own_id": staff_id, "since": since} | days))


def refuse_last_admin(work: Work, leaving: UUID) -> None:
    """Raise LastAdmin if no other active admin with an accepted invitation remains."""
    work.serialize_on("admins")
    if is_last_admin(list_admins(work), leaving):
        raise LastAdmin("This is the practice's only admin. Make another staff member an admin first.")


def list_admins(work: Work) -> list[UUID]:
    """Return the active admins who have accepted their invitation."""
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
    return list(admins)


def role_detail(changes: dict[str, Any]) -> dict[str, Any]:
    return {"roles": changes["roles"]} if "roles" in changes else {}
