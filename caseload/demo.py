"""A demo practice with a person for every role, made by the same verbs that people use, and their logins."""

import json
import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import select

from practice.errors import ConfigurationProblem
from practice.people import service
from practice.people.models import Practice
from practice.security import accounts, signing_in
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.store.private_files import write_private

NAME = "Willow Street Therapy"
TIME_ZONE = "America/New_York"
PEOPLE = (
    # role, first name, last name, what else stands in the directory; the supervisor before those supervised
    ("supervisor", "Sofia", "Sample", {"discipline": "PSYCHOLOGY", "license_type": "PSYCHOLOGIST"}),
    ("clinician", "Cleo", "Case", {"discipline": "COUNSELING", "license_type": "APC"}),
    ("scheduler", "Sam", "Slot", {}),
    ("biller", "Billie", "Ledger", {}),
    ("analyst", "Ana", "Chart", {}),
)


def make_demo(house: Installation, now: datetime, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The demo practice, made once. Answers with the logins, which stay readable in the data folder."""
    if house.settings.production:
        raise ConfigurationProblem("A demo practice has no place in production. Use `caseload practice create`.")
    logins_file = house.settings.data_dir / "demo-logins.json"
    with house.store.system_session() as db:
        exists = db.scalar(select(Practice.id).where(Practice.slug == service.rules.slug_of(NAME)))
    if exists and logins_file.exists():
        return json.loads(logins_file.read_text())
    if exists:
        raise ConfigurationProblem(
            f"{NAME} exists, but its logins in {logins_file} are gone. Use another data folder with --data-dir."
        )
    password = f"Willow-{secrets.token_hex(2)}-Street-{secrets.token_hex(2)}"
    today = now.date()
    say(f"Making {NAME}")
    with house.work(Actor(), now) as work:
        admin = {"email": "admin@willow.example", "first_name": "Alex", "last_name": "Admin"}
        practice, invited = service.create_practice(work, name=NAME, time_zone=TIME_ZONE, admin=admin)
    logins = [take_place(house, "admin", invited, password, now)]
    boss = Actor(practice.id, invited.staff.account_id, invited.staff.id, frozenset(["admin"]))
    with house.work(boss, now) as work:
        service.record_training(work, invited.staff.id, Scope.ALL, "HIPAA", today)
    supervisor_id = None
    for role, first, last, more in PEOPLE:
        say(f"Inviting the {role}")
        with house.work(boss, now) as work:
            invited = service.add_staff(
                work,
                email=f"{role}@willow.example",
                first_name=first,
                last_name=last,
                roles=[role],
                hired_on=date(today.year - 2, 1, 15),
                supervisor_id=supervisor_id if role == "clinician" else None,
                **more,
            )
            service.record_training(work, invited.staff.id, Scope.ALL, "HIPAA", today)
        supervisor_id = invited.staff.id if role == "supervisor" else supervisor_id
        logins.append(take_place(house, role, invited, password, now))
    write_private(logins_file, json.dumps(logins, indent=2))
    return logins


def take_place(
    house: Installation, role: str, invited: service.Invited, password: str, now: datetime
) -> dict[str, Any]:
    """What an invited person does: take the invitation, set a password, enrol an authenticator."""
    accounts.accept_invitation(house, invited.secret, password, now)
    step = signing_in.sign_in(house, invited.staff.email, password, now)
    secret, _ = signing_in.begin_enrolment(house, step.token or "", now)
    last = pyotp.TOTP(secret).at(now - timedelta(seconds=30))  # still taken, and the code of now stays unused
    signing_in.confirm_enrolment(house, step.token or "", last, now)
    return {"role": role, "email": invited.staff.email, "password": password, "authenticator": secret}


def code_now(login: dict[str, Any], now: datetime) -> str:
    return pyotp.TOTP(login["authenticator"]).at(now)
