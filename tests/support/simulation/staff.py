"""Uses of the services of staff: employment, supervision, licenses, trainings, sign-ins."""

from typing import Any
from uuid import UUID

from practice.clinical.supervision import handover
from practice.people.staff import add_staff, rehire_staff, reinvite_staff
from practice.people.trainings import record_training, void_training
from practice.security.permissions import Scope
from practice.security.sign_in import start_session
from practice.store.ids import new_id
from tests.support.builders.people import accept_membership
from tests.support.simulation.practice import AT_WORK, DAY, MINUTE, NothingToDo, SimulatedPractice, service

LICENSES = (
    ("COUNSELING", "LPC"),
    ("COUNSELING", "APC"),
    ("SOCIAL_WORK", "LMSW"),
    ("SOCIAL_WORK", "LCSW"),
    ("PSYCHOLOGY", "PSYCHOLOGIST"),
    ("PSYCHIATRY", "MD"),
    (None, None),
)
ROLES = (["clinician"],) * 5 + (["clinician", "supervisor"], ["supervisor"], ["scheduler"], ["biller"])
STAFF = f"select * from staff as s where external_id is distinct from 'ADM' and {AT_WORK} order by id"
SUPERVISORS = f"select * from staff as s where 'supervisor' = any(roles) and {AT_WORK} order by id"


@service("invite staff", 0.07)
def invite_staff(sim: SimulatedPractice, roles: list[str] | None = None) -> None:
    discipline, license_type = sim.choose(*LICENSES)
    supervisors = sim.rows(SUPERVISORS)
    fields: dict[str, Any] = {
        "roles": roles or sim.choose(*ROLES),
        "discipline": discipline,
        "license_type": license_type,
        "hired_on": sim.choose_day(-30, 0) if sim.happens(0.5) else sim.choose_day(0, 10),
        "supervisor_id": sim.random.choice(supervisors).id if supervisors and sim.happens(0.6) else None,
    }
    with sim.work() as work:
        name = {"first_name": "Robin", "last_name": f"Simulated {sim.counter}"}
        staff = add_staff(work, email=f"staff-{new_id()}@example.com", by_email=False, **name, **fields).staff
        staff_id, account_id = staff.id, staff.account_id
    accept_membership(sim.installation, account_id, sim.tenant_id, sim.now)
    sim.later(sim.now + MINUTE, "add a window", staff_id)
    sim.later(sim.now + 2 * MINUTE, "record a training", staff_id)


@service("invite staff again", 0.04)
def invite_again(sim: SimulatedPractice) -> None:
    staff = sim.pick(STAFF)
    with sim.work() as work:
        reinvite_staff(work, staff.id, by_email=False)


def change_any_staff(sim: SimulatedPractice, changes: dict[str, Any], staff: Any = None) -> None:
    staff = staff or sim.pick(STAFF)
    with sim.work() as work:
        handover.change_staff(work, staff.id, staff.version, changes)


@service("change a supervisor", 0.08)
def change_supervisor(sim: SimulatedPractice) -> None:
    supervisors = [row.id for row in sim.rows(SUPERVISORS)]
    change_any_staff(sim, {"supervisor_id": sim.choose(None, *supervisors)})


@service("change roles", 0.08)
def change_roles(sim: SimulatedPractice) -> None:
    change_any_staff(sim, {"roles": sim.choose(*ROLES)})


@service("change a license", 0.12)
def change_license(sim: SimulatedPractice) -> None:
    discipline, license_type = sim.choose(*LICENSES)
    change_any_staff(sim, {"discipline": discipline, "license_type": license_type})


@service("correct a first day", 0.04)
def correct_first_day(sim: SimulatedPractice) -> None:
    staff = sim.pick(STAFF)
    change_any_staff(sim, {"hired_on": staff.hired_on + DAY * sim.random.randint(-20, 5)}, staff)


@service("plan a last day", 0.05)
def plan_last_day(sim: SimulatedPractice) -> None:
    staff = sim.pick(STAFF)
    change_any_staff(sim, {"left_on": sim.choose(None, sim.choose_day(1, 20), sim.choose_day(-5, 0))}, staff)


@service("deactivate staff", 0.07)
def deactivate_staff(sim: SimulatedPractice) -> None:
    if len(sim.rows(STAFF)) < 6:
        raise NothingToDo
    staff = sim.pick(STAFF)
    with sim.work() as work:
        handover.deactivate_staff(work, staff.id, sim.choose_day(-10, 0))


@service("correct a last day", 0.04)
def correct_last_day(sim: SimulatedPractice) -> None:
    staff = sim.pick("select * from staff where deactivated_at is not null order by id")
    with sim.work() as work:
        handover.deactivate_staff(work, staff.id, staff.left_on + DAY * sim.choose(-4, -1, 2))


@service("rehire staff", 0.06)
def rehire(sim: SimulatedPractice) -> None:
    staff = sim.pick(
        "select * from staff where deactivated_at is not null or left_on < cast(:now as date) - 1 order by id"
    )
    with sim.work() as work:
        rehire_staff(work, staff.id, sim.choose_day(-3, 0), by_email=False)
    accept_membership(sim.installation, staff.account_id, sim.tenant_id, sim.now)


@service("record a training", 0.12)
def record_any_training(sim: SimulatedPractice, staff_id: UUID | None = None) -> None:
    staff_id = staff_id or sim.pick(STAFF).id
    day = sim.choose_day(-420, 0) if sim.happens(0.3) else sim.choose_day(-5, 0)
    with sim.work() as work:
        record_training(work, Scope.ALL, staff_id, sim.choose("HIPAA", "HIPAA", "HIPAA", "OTHER"), day)


@service("void a training", 0.06)
def void_any_training(sim: SimulatedPractice) -> None:
    training = sim.pick("select * from trainings where voided_at is null order by id")
    with sim.work() as work:
        void_training(work, Scope.ALL, training.staff_id, training.id, "Recorded by mistake.")


@service("sign in", 5)
def sign_in(sim: SimulatedPractice) -> None:
    staff = sim.pick(STAFF)
    start_session(sim.installation, staff.account_id, sim.tenant_id, sim.now, None)
