"""The permissions of each role, as data. Everything not listed is refused.

A cell lists actions: `R` reads, `W` writes (and reads), other words name an action of their own. Each may be followed
by its scope: `team`, `own` or `shared` records; without one, all records of the practice.
"""

from enum import StrEnum

from practice.errors import Refusal

ROLES = ("admin", "supervisor", "clinician", "scheduler", "biller", "client", "analyst")
STAFF_ROLES = tuple(role for role in ROLES if role != "client")


class Scope(StrEnum):
    """The records that a permission covers, widest first."""

    ALL = "all"
    TEAM = "team"
    OWN = "own"
    SHARED = "shared"


ROLE_PERMISSIONS: dict[str, dict[str, str]] = {
    "practice": {
        "admin": "W",
        "supervisor": "R",
        "clinician": "R",
        "scheduler": "R",
        "biller": "R",
        "analyst": "R",
    },
    "settings": {"admin": "W", "supervisor": "R", "clinician": "R", "scheduler": "R", "biller": "R"},
    "services": {
        "admin": "W",
        "supervisor": "R",
        "clinician": "R",
        "scheduler": "R",
        "biller": "R",
        "client": "R",
    },
    "fees": {"admin": "W", "supervisor": "R", "biller": "R"},
    "rooms": {"admin": "W", "supervisor": "R", "clinician": "R", "scheduler": "W", "biller": "R"},
    "staff": {"admin": "W", "supervisor": "R", "clinician": "R", "scheduler": "R", "biller": "R"},
    "trainings": {
        "admin": "W",
        "supervisor": "R team, W own",
        "clinician": "W own",
        "scheduler": "W own",
        "biller": "W own",
        "analyst": "W own",
    },
    "pay": {"admin": "W, process", "supervisor": "R team", "clinician": "R own", "biller": "R, process"},
    # `change`: fields of the record, `W` or `clinical` deciding which; `clinical`: medical notes and high risk
    "clients": {
        "admin": "W, change, contact, documents, clinical_documents, approve_email",
        "supervisor": "R team, change team, clinical team, documents team, clinical_documents team",
        "clinician": "R own, change own, clinical own, documents own, clinical_documents own",
        "scheduler": "W, change, contact, documents",
        "biller": "R",
        "client": "R own, contact own, clinical_documents own, confirm_email own",
    },
    "coverages": {
        "admin": "W",
        "supervisor": "R team",
        "clinician": "R own",
        "scheduler": "W",
        "biller": "W",
        "client": "R own",
    },
    "consents": {
        "admin": "W, sign",
        "supervisor": "R team",
        "clinician": "R own",
        "scheduler": "W, sign",
        "biller": "R",
        "client": "R own, sign own",
    },
    "deletion_requests": {
        "admin": "R, ask, review, redact",
        "scheduler": "R, ask",
        "client": "R own, ask own",
    },
    "intake": {  # `state`: whether a form exists and its progress, not its answers
        "admin": "read_with_reason, begin, state",
        "supervisor": "R team, state team",
        "clinician": "W own, begin own, state own",
        "scheduler": "begin, state",
        "client": "W own, begin own, state own",
    },
    "notes": {
        "admin": "read_with_reason, unlock",
        "supervisor": "R team, co_sign team, unlock team, strike team",
        "clinician": "R own, W own, strike own",
        "client": "R shared",
    },
    "plans": {"admin": "read_with_reason", "supervisor": "R team", "clinician": "W own"},
    "appointments": {
        "admin": "W, status, book, move, cancel, read_requests",
        "supervisor": "R team, read_requests team",
        "clinician": "R own, status own, notes own, cancel own, ask_to_move own, read_requests own",
        "scheduler": "W, status, book, move, cancel, read_requests",
        "biller": "R",
        "client": "R own, book own, move own, cancel own",
    },
    "waitlist": {
        "admin": "W, answer",
        "supervisor": "R team",
        "clinician": "R own",
        "scheduler": "W, answer",
        "biller": "R",
        "client": "R own, answer own",
    },
    "availability": {
        "admin": "W, free_slots",
        "supervisor": "R team, free_slots",
        "clinician": "W own, free_slots",
        "scheduler": "W, free_slots",
        "client": "free_slots",
    },
    "session_completions": {  # `create`: count it; `sign`: also sign its note (checked by the service)
        "admin": "W, create, override",
        "supervisor": "W team, create team, override team, sign team",
        "clinician": "W own, create own, sign own",
        "scheduler": "R, create",
        "biller": "R",
    },
    "billing": {"admin": "W", "clinician": "R own", "biller": "W", "client": "statements own, pay own"},
    "expenses": {"admin": "W", "biller": "W"},
    # `rows`: the records behind a value; `live`: values of this moment. Schedulers and billers read some categories
    "metrics": {
        "admin": "R, rows, live",
        "supervisor": "R team, rows team, live team",
        "clinician": "R own, rows own, live own",
        "scheduler": "R, rows",
        "biller": "R, rows",
        "analyst": "R, live",
    },
    # `money` and `clients`: whose money and how many clients reports count; metrics follow their own permission
    "reports": {
        "admin": "W, money, clients, share",
        "supervisor": "W own, money team, clients team",
        "clinician": "W own, money own, clients own",
        "biller": "W own, money",
    },
    # each page of the dashboards by its name; `remind`: messages about compliance checks
    "dashboards": {
        "admin": "overview, schedule, payroll, compliance, remind, data_quality, client, reports",
        "supervisor": "team team, compliance team, remind team, note team, client team, reports team",
        "clinician": "my_practice own, compliance own, note own, client own, reports own",
        "scheduler": "schedule",
        "biller": "payroll, reports",
    },
    "incidents": {
        "admin": "W, report",
        "supervisor": "report",
        "clinician": "report",
        "scheduler": "report",
        "biller": "report",
        "analyst": "report",
    },
    "goals": {"admin": "W", "supervisor": "W team", "clinician": "R own"},
    "supervision": {"admin": "W", "supervisor": "W team", "clinician": "R own"},
    "exports": {"admin": "W"},
    "audit": {"admin": "R"},
}


def parse_role_permissions(permissions: dict[str, dict[str, str]]) -> dict[tuple[str, str, str], Scope]:
    """Return the scope of each (record, action, role)."""
    matrix: dict[tuple[str, str, str], Scope] = {}
    for record, cells in permissions.items():
        for role, cell in cells.items():
            for grant in cell.split(", "):
                name, _, scope = grant.partition(" ")
                for action in {"R": ("read",), "W": ("read", "write")}.get(name, (name,)):
                    matrix.setdefault((record, action, role), Scope(scope or "all"))
    return matrix


MATRIX = parse_role_permissions(ROLE_PERMISSIONS)
KNOWN = {(record, action) for record, action, _ in MATRIX}


class Forbidden(Refusal):
    """None of the caller's roles permits this.

    Fix: ask an admin of the practice for access.
    """

    code = "FORBIDDEN"
    status = 403


def find_scope(roles: frozenset[str], record: str, action: str) -> Scope | None:
    """Return the widest scope that any of the roles grants, or None."""
    scopes = {MATRIX.get((record, action, role)) for role in roles}
    return next((scope for scope in Scope if scope in scopes), None)


def require(roles: frozenset[str], record: str, action: str) -> Scope:
    """Return the scope of an action, or raise Forbidden."""
    scope = find_scope(roles, record, action)
    if scope is None and roles == {"client"}:
        raise Forbidden("This is not available online. Please call the practice.")
    if scope is None:
        raise Forbidden("Your roles do not permit this. Ask an admin of the practice for access.")
    return scope
