"""The examinations of `caseload doctor`: whether an installation is complete, intact and readable."""

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from practice.errors import CaseloadError
from practice.security.audit import verify_chain
from practice.security.encryption import DecryptionRefused, FieldCipher, read_key_number, unwrap_data_key
from practice.security.installation import Installation
from practice.security.keyring import WrongMasterKey, read_sealed_fields
from practice.security.models import DataKey
from practice.store.ids import SYSTEM_TENANT
from practice.store.migrate import read_revision, require_newest
from practice.store.policies import find_protection_problems
from practice.store.schema import find_schema_problems
from practice.text import format_count

MIN_FREE_BYTES = 1 << 30
MIN_FREE_SHARE = 0.05
MAX_ANCHOR_DELAY = timedelta(minutes=10)  # the service anchors every half minute; a backup ends anywhere in between

Progress = Callable[[str], None]
Examination = Callable[[Installation, datetime, UUID, str], Iterator["Finding"]]


@dataclass(frozen=True)
class Finding:
    """The result of one examination: fine, or what is wrong and what to do."""

    area: str
    ok: bool
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


def examine(
    installation: Installation,
    now: datetime,
    progress: Progress = lambda _: None,
    extra_examinations: Mapping[str, Examination] = MappingProxyType({}),
) -> list[Finding]:
    """Examine everything as the runtime role and return the findings. What cannot be examined is a finding too.

    `extra_examinations` are those of other packages, by area; each runs once per practice.
    """
    findings: list[Finding] = []
    unreadable: set[UUID] = set()  # practices whose data keys another master key wraps: one finding says so for all

    def run(area: str, examination: Callable[[], Iterator[Finding]]) -> bool:
        progress(f"Examining: {area}")
        first = len(findings)
        try:
            findings.extend(examination())
        except CaseloadError as problem:
            if unreadable and isinstance(problem, WrongMasterKey):
                return True
            findings.append(Finding(area, False, problem.message))
        except (SQLAlchemyError, OSError) as problem:  # their own messages may quote a value
            message = f"The examination failed ({type(problem).__name__}). Read the database's log and try again."
            findings.append(Finding(area, False, message))
        return all(finding.ok for finding in findings[first:])

    if run("database", lambda: examine_database(installation)) and run("schema", lambda: examine_schema(installation)):
        run("row-level security", lambda: examine_policies(installation))
        run("schema", lambda: examine_guards(installation))
        names = load_names(installation)
        unreadable |= find_unreadable(installation, names)
        if unreadable:
            findings.append(describe_wrong_key(installation, unreadable, len(names)))
        for number, (tenant_id, name) in enumerate(names.items(), 1):
            progress(f"Examining: {name} ({number} of {len(names)})")
            if tenant_id in unreadable:
                run("audit log", lambda t=tenant_id, n=name: examine_chain(installation, t, n, anchored=False))
            else:
                run("audit log", lambda t=tenant_id, n=name: examine_chain(installation, t, n))
                run("encryption", lambda t=tenant_id, n=name: examine_fields(installation, t, n))
            run("people", lambda t=tenant_id, n=name: examine_people(installation, t, n))
            for area, examination in extra_examinations.items() if tenant_id != SYSTEM_TENANT else ():
                run(area, lambda e=examination, t=tenant_id, n=name: e(installation, now, t, n))
        run("audit log", lambda: examine_lost_practices(installation, set(names)))
        run("accounts", lambda: examine_accounts(installation, now))
    run("outbox", lambda: examine_outbox(installation))
    run("disk", lambda: examine_disk(installation))
    return findings


def load_names(installation: Installation) -> dict[UUID, str]:
    """Return the display name of each tenant, the installation itself first."""
    with installation.store.begin_system_session() as db:
        rows = db.execute(text("select id, name, slug from practices order by slug")).all()
    return {SYSTEM_TENANT: "The installation itself"} | {row.id: f"Practice {row.name} ({row.slug})" for row in rows}


def examine_database(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    where = "embedded" if installation.store.embedded else "server"
    yield Finding("database", True, f"PostgreSQL {version} answers.", {"version": version, "where": where})


def examine_schema(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        require_newest(connection)
        revision = read_revision(connection)
    yield Finding("schema", True, f"The schema is up to date ({revision}).", {"revision": revision})


def examine_policies(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        problems = find_protection_problems(connection)
    for problem in problems:
        advice = "Records of one practice may be visible to another: stop the service and restore the protection."
        yield Finding("row-level security", False, f"{problem} {advice}")
    if not problems:
        yield Finding("row-level security", True, "Every table of a practice is protected from all others.")


def examine_guards(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        problems = find_schema_problems(connection)
    for problem in problems:
        advice = "Records may have been changed unnoticed: stop the service, and restore it and them from a backup."
        yield Finding("schema", False, f"{problem} {advice}")
    if not problems:
        yield Finding("schema", True, "All constraints, triggers and functions are as the migrations created them.")


def find_unreadable(installation: Installation, tenant_ids: Collection[UUID]) -> set[UUID]:
    """Return the practices of which the configured master key opens none of the data keys."""
    key_ids = select(DataKey.master_key_id).distinct()
    unreadable = set()
    for tenant_id in tenant_ids:
        with installation.store.begin_session(tenant_id) as db:
            known = set(db.scalars(key_ids.where(DataKey.tenant_id == tenant_id)))
        if known and installation.master.key_id not in known:
            unreadable.add(tenant_id)
    return unreadable


def describe_wrong_key(installation: Installation, unreadable: Collection[UUID], tenants: int) -> Finding:
    key_id = installation.master.key_id
    if len(unreadable) == tenants:
        problem = f"The configured master key ({key_id}) is not the one of this installation."
        advice = (
            "Set the right one in CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY, and run `caseload doctor` again."
        )
    else:
        problem = f"The configured master key ({key_id}) opens the records of some practices only."
        advice = "If a rotation of the master key was interrupted, finish it; else set the right key."
    left_out = "Not checked without it: the anchors of the audit log, encrypted fields, and notes."
    facts = {"key_id": key_id, "not_checked": sorted(str(tenant_id) for tenant_id in unreadable)}
    return Finding("master key", False, f"{problem} {advice} {left_out}", facts)


def examine_chain(
    installation: Installation, tenant_id: UUID, name: str, *, anchored: bool = True
) -> Iterator[Finding]:
    """Yield the finding about an audit log, compared with its anchors if the master key that signed them is known."""
    with installation.store.begin_session(tenant_id) as db:
        db.execute(text("set local statement_timeout = 0"))  # a long log takes longer
        start = time.perf_counter()
        report = verify_chain(db, tenant_id, installation.anchors if anchored else None)
        seconds = time.perf_counter() - start
        unanchored = db.execute(
            text("""
                select count(*) as entries, max(at) - min(at) as span from audit_log
                where tenant_id = :tenant_id and seq > :anchored
            """),
            {"tenant_id": tenant_id, "anchored": report.last_anchored},
        ).one()
    rate = round(report.entries / max(seconds, 1e-9))
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "entries": report.entries, "rows_per_second": rate}
    if report.problems:
        advice = "Keep the database and the anchors as they are, and compare with a backup to see what was changed."
        message = f"{name}: the audit log was altered. {' '.join(report.problems)} {advice}"
        yield Finding(
            "audit log", False, message, facts | {"entry": report.first_bad_entry, "problems": report.problems}
        )
        return
    if not report.entries:
        # Creating a practice writes an entry to both logs, so only an empty installation may have none.
        message = f"{name}: the audit log is empty, and its first entries are lost. Restore it from a backup."
        empty = Finding("audit log", True, f"{name}: the audit log is still empty.", facts)
        yield (
            empty
            if tenant_id == SYSTEM_TENANT and len(load_names(installation)) == 1
            else Finding("audit log", False, message, facts)
        )
        return
    entries = format_count(report.entries, "entry", "entries")
    unchecked = "" if anchored else " Its anchors are not checked."
    yield Finding("audit log", True, f"{name}: {entries}, intact ({rate} a second).{unchecked}", facts)
    if anchored and unanchored.entries and unanchored.span > MAX_ANCHOR_DELAY:
        yield Finding(
            "audit log",
            False,
            f"{name}: {unanchored.entries} entries, from {report.last_anchored + 1} on, are not anchored outside the "
            "database. Start the service, which anchors every half minute; if it is running, check that it can write "
            f"to {installation.anchors.folder}.",
            facts | {"entry": report.last_anchored + 1, "not_anchored": unanchored.entries},
        )


def examine_lost_practices(installation: Installation, known: set[UUID]) -> Iterator[Finding]:
    for tenant_id in installation.anchors.list_tenants():
        if tenant_id not in known:
            message = f"Practice {tenant_id} has audit anchors but is not in the database. Restore it from a backup."
            yield Finding("audit log", False, message, {"tenant_id": str(tenant_id)})


def examine_fields(installation: Installation, tenant_id: UUID, name: str) -> Iterator[Finding]:
    with installation.store.begin_session(tenant_id) as db:
        keys, problems = unwrap_keys(db, installation, tenant_id)
        cipher = FieldCipher(tenant_id, keys, max(keys)) if keys else None
        opened = older = 0
        closed: list[str] = []
        for sealed in read_sealed_fields(db, tenant_id):
            try:
                if cipher is None:
                    raise DecryptionRefused("The practice has no data key.")
                cipher.open(sealed.table.name, sealed.column, sealed.row_id, sealed.sealed)
                opened += 1
                older += read_key_number(sealed.sealed) != cipher.current_key_number
            except DecryptionRefused:
                closed.append(f"{sealed.table.name}.{sealed.column} of {sealed.row_id}")
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "keys": len(keys), "fields": opened, "under_older_key": older}
    for problem in problems:
        yield Finding("encryption", False, f"{name}: {problem}", facts)
    if closed:
        examples = ", ".join(closed[:3]) + (" and others" if len(closed) > 3 else "")
        number = format_count(len(closed), "encrypted field")
        message = f"{name}: {number} cannot be opened ({examples}). Restore the records from a backup."
        yield Finding("encryption", False, message, facts | {"closed": closed[:100]})
    if problems or closed:
        return
    if older:
        total = format_count(opened, "encrypted field")
        message = f"{name}: {older} of {total} under an older key. Rotate the data key to renew them."
        yield Finding("encryption", True, message, facts)
    else:
        yield Finding("encryption", True, f"{name}: {format_count(opened, 'encrypted field')}, all readable.", facts)


def unwrap_keys(db: Session, installation: Installation, tenant_id: UUID) -> tuple[dict[int, bytes], list[str]]:
    """Return the data keys that the master key opens, and a message for each that it does not."""
    keys, problems = {}, []
    for row in db.scalars(select(DataKey).where(DataKey.tenant_id == tenant_id).order_by(DataKey.number)):
        try:
            keys[row.number] = unwrap_data_key(installation.master, tenant_id, row.number, row.wrapped)
        except DecryptionRefused:
            problems.append(
                f"Data key {row.number} is wrapped by the master key {row.master_key_id}, but the configured one is "
                f"{installation.master.key_id}. Configure the right one, or finish the rotation of the master key."
                if row.master_key_id != installation.master.key_id
                else f"Data key {row.number} was altered. Restore it from a backup."
            )
    return keys, problems


def examine_people(installation: Installation, tenant_id: UUID, name: str) -> Iterator[Finding]:
    with installation.store.begin_session(tenant_id) as db:
        parameters = {"t": tenant_id}
        outsiders = db.scalars(
            text("""
                select m.account_id from memberships as m
                where m.tenant_id = :t and m.ended_at is null
                    and not exists (select from staff as s where s.tenant_id = :t and s.account_id = m.account_id)
                    and not exists (select from clients as c where c.tenant_id = :t and c.account_id = m.account_id)
                order by 1
            """),
            parameters,
        ).all()
        shut_out = db.scalars(
            text("""
                select s.id from staff as s
                join practices as p on p.id = s.tenant_id and p.status <> 'SUSPENDED'
                where s.tenant_id = :t and s.deactivated_at is null and not exists (
                    select from memberships as m
                    where m.tenant_id = :t and m.account_id = s.account_id and m.ended_at is null
                )
                order by 1
            """),
            parameters,
        ).all()
    if outsiders:
        number = format_count(len(outsiders), "account")
        message = f"{name}: {number} with a membership but neither staff nor client. End the membership."
        yield Finding("people", False, message, {"accounts": [str(account) for account in outsiders[:100]]})
    if shut_out:
        message = (
            f"{name}: {len(shut_out)} active staff without a membership to sign in with. Invite or deactivate them."
        )
        yield Finding("people", False, message, {"staff": [str(staff) for staff in shut_out[:100]]})


def examine_accounts(installation: Installation, now: datetime) -> Iterator[Finding]:
    with installation.store.begin_system_session() as db:
        alone = db.scalars(
            text("""
                select a.id from accounts as a
                where not a.platform_admin and a.disabled_at is null
                    and not exists (select from memberships as m where m.account_id = a.id)
                    and not exists (
                        select from one_time_tokens as t
                        where t.account_id = a.id and t.purpose = 'invitation' and t.used_at is null
                            and t.expires_at > :now
                    )
                order by 1
            """),
            {"now": now},
        ).all()
        sessions = db.execute(
            text("""
                select count(*) filter (where over is null) as live, count(over) as timed_out,
                    array_agg(id) filter (where over is null and not entitled) as stray
                from (
                    select s.id, session_over(s, :now) as over, a.disabled_at is null and (
                        s.tenant_id is null and a.platform_admin or exists (
                            select from memberships as m
                            where m.account_id = s.account_id and m.tenant_id = s.tenant_id
                                and m.accepted_at is not null and m.ended_at is null
                        )
                    ) as entitled
                    from account_sessions as s join accounts as a on a.id = s.account_id
                    where s.ended_at is null
                ) as open
            """),
            {"now": now},
        ).one()
    if alone:
        number = format_count(len(alone), "account")
        message = f"{number} never belonged to a practice, without an open invitation. Invite again, or disable."
        yield Finding("accounts", False, message, {"accounts": [str(account) for account in alone[:100]]})
    stray = [str(session) for session in sessions.stray or []]
    if stray:
        number = format_count(len(stray), "open session")
        message = f"{number} of people without access. Their requests are refused; end these sessions."
        yield Finding("accounts", False, message, {"sessions": stray[:100]})
    if not alone and not stray:
        facts = {"live": sessions.live, "timed_out": sessions.timed_out}
        yield Finding("accounts", True, f"{format_count(sessions.live, 'live session')}, all with access.", facts)


def examine_outbox(installation: Installation) -> Iterator[Finding]:
    folder = installation.email_outbox.folder
    waiting = sum(1 for _ in folder.glob("*.json")) if folder.is_dir() else 0
    yield Finding("outbox", True, f"{format_count(waiting, 'email')} waiting in {folder}.", {"waiting": waiting})


def examine_disk(installation: Installation) -> Iterator[Finding]:
    folder: Path = installation.settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    facts = {"free_bytes": usage.free, "total_bytes": usage.total}
    free = f"{usage.free / (1 << 30):.1f} GB ({usage.free / usage.total:.0%}) are free on the disk of {folder}"
    if usage.free < MIN_FREE_BYTES or usage.free < MIN_FREE_SHARE * usage.total:
        yield Finding("disk", False, f"Only {free}. Free up space before the database stops.", facts)
    else:
        yield Finding("disk", True, f"{free}.", facts)
