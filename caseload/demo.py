"""A demo practice with a person for every role, made by the same verbs that people use, and their logins."""

import json
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pyotp
from sqlalchemy import select

from practice.errors import ConfigurationProblem
from practice.people import service
from practice.people.models import Practice, Staff
from practice.security import accounts, signing_in
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.private_files import write_private

NAME = "Willow Street Therapy"
TIME_ZONE = "America/New_York"
PEOPLE = (
    # role, first name, last name, what else stands in the directory; the supervisor before those supervised
    ("admin", "Alex", "Admin", {}),
    ("supervisor", "Sofia", "Sample", {"discipline": "PSYCHOLOGY", "license_type": "PSYCHOLOGIST"}),
    ("clinician", "Cleo", "Case", {"discipline": "COUNSELING", "license_type": "APC"}),
    ("scheduler", "Sam", "Slot", {}),
    ("biller", "Billie", "Ledger", {}),
    ("analyst", "Ana", "Chart", {}),
)


def make_demo(house: Installation, now: datetime, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The demo practice, made once; a run that was interrupted is finished. The logins stay in the data folder."""
    if house.settings.production:
        raise ConfigurationProblem("A demo practice has no place in production. Use `caseload practice create`.")
    file = house.settings.data_dir / "demo-logins.json"
    logins: list[dict[str, Any]] = json.loads(file.read_text()) if file.exists() else []
    known = {login["email"] for login in logins}
    password = logins[0]["password"] if logins else f"Willow-{secrets.token_hex(2)}-Street-{secrets.token_hex(2)}"
    today = now.astimezone(ZoneInfo(TIME_ZONE)).date()
    supervisor_id = None
    practice_id = open_practice(house, now, say)
    for role, first, last, more in PEOPLE:
        email = f"{role}@willow.example"
        with house.work(Actor(practice_id), now) as work:
            staff = work.db.scalar(select(Staff).where(Staff.tenant_id == practice_id, Staff.email == email))
            if staff is None:
                about = {"first_name": first, "last_name": last, "roles": [role], **more}
                about["supervisor_id"] = supervisor_id if role == "clinician" else None
                invited = service.add_staff(work, email=email, hired_on=date(today.year - 2, 1, 15), **about)
            elif email not in known:
                invited = service.invite_again(work, staff.id)
            staff = staff or invited.staff
            if email not in known:
                service.record_training(work, staff.id, Scope.ALL, "HIPAA", today)
        supervisor_id = staff.id if role == "supervisor" else supervisor_id
        if email not in known:
            say(f"Letting the {role} in")
            logins.append(take_place(house, role, invited, password, now))
            write_private(file, json.dumps(logins, indent=2))
    return logins


def open_practice(house: Installation, now: datetime, say: Callable[[str], None]) -> UUID:
    """The practice, with its admin on the staff and not yet let in."""
    with house.work(Actor(), now) as work:
        found = work.db.scalar(select(Practice.id).where(Practice.slug == service.rules.slug_of(NAME)))
        if found is not None:
            return found
        say(f"Making {NAME}")
        admin = {"email": "admin@willow.example", "first_name": "Alex", "last_name": "Admin"}
        practice, _ = service.create_practice(work, name=NAME, time_zone=TIME_ZONE, admin=admin)
        return practice.id


def take_place(
    house: Installation, role: str, invited: service.Invited, password: str, now: datetime
) -> dict[str, Any]:
    """What an invited person does: take the invitation, set a password, enrol an authenticator."""
    accounts.accept_invitation(house, invited.secret, password, now)
    step = signing_in.sign_in(house, invited.staff.email, password, now)
    login = {"role": role, "email": invited.staff.email, "password": password}
    secret, _ = signing_in.begin_enrolment(house, step.token or "", now)
    last = pyotp.TOTP(secret).at(now - timedelta(seconds=30))  # still taken, and the code of now stays unused
    signing_in.confirm_enrolment(house, step.token or "", last, now)
    return login | {"authenticator": secret}


def code_now(login: dict[str, Any], now: datetime) -> str:
    return pyotp.TOTP(login["authenticator"]).at(now)
