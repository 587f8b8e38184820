"""Examining an installation: is everything in place, whole and readable. What `caseload doctor` tells."""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
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
from practice.security.encryption import DecryptionRefused, FieldCipher, sealed_with, unwrap_data_key
from practice.security.installation import Installation
from practice.security.keyring import sealed_fields
from practice.security.models import DataKey
from practice.store.ids import NOBODY
from practice.store.migrate import require_newest, revision_of
from practice.store.policies import unprotected_tables

LEAST_FREE_BYTES = 1 << 30
LEAST_FREE_SHARE = 0.05
ANCHORED_WITHIN = timedelta(minutes=10)  # the service does it every half minute; a backup ends anywhere in between

Progress = Callable[[str], None]
Examination = Callable[[Installation, datetime, UUID, str], Iterator["Finding"]]


@dataclass(frozen=True)
class Finding:
    """One thing looked at: right, or one sentence about what is wrong and what to do."""

    area: str
    ok: bool
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


def examine(
    installation: Installation,
    now: datetime,
    progress: Progress = lambda _: None,
    further: Mapping[str, Examination] = MappingProxyType({}),
) -> list[Finding]:
    """Look at everything, as the runtime role. Changes nothing; what cannot be looked at is a finding as well.

    `further` is what the rooms above have to look at in each practice, by its area.
    """
    findings: list[Finding] = []

    def look(area: str, examination: Callable[[], Iterator[Finding]]) -> bool:
        progress(f"Examining: {area}")
        began = len(findings)
        try:
            findings.extend(examination())
        except CaseloadError as problem:
            findings.append(Finding(area, False, problem.message))
        except (SQLAlchemyError, OSError) as problem:  # their own words may quote a value
            sentence = f"This could not be examined ({type(problem).__name__}). Read the database's log and try again."
            findings.append(Finding(area, False, sentence))
        return all(finding.ok for finding in findings[began:])

    if look("database", lambda: examine_database(installation)) and look(
        "schema", lambda: examine_schema(installation)
    ):
        look("row-level security", lambda: examine_policies(installation))
        names = names_of(installation)
        for place, (tenant_id, name) in enumerate(names.items(), 1):
            progress(f"Examining: {name} ({place} of {len(names)})")
            look("audit log", lambda t=tenant_id, n=name: examine_chain(installation, t, n))
            look("encryption", lambda t=tenant_id, n=name: examine_fields(installation, t, n))
            look("people", lambda t=tenant_id, n=name: examine_people(installation, t, n))
            for area, examination in further.items() if tenant_id != NOBODY else ():
                look(area, lambda e=examination, t=tenant_id, n=name: e(installation, now, t, n))
        look("audit log", lambda: examine_lost_practices(installation, set(names)))
        look("accounts", lambda: examine_accounts(installation, now))
    look("outbox", lambda: examine_outbox(installation))
    look("disk", lambda: examine_disk(installation))
    return findings


def names_of(installation: Installation) -> dict[UUID, str]:
    """All chains and keys there are, by whose they are."""
    with installation.store.system_session() as db:
        rows = db.execute(text("select id, name, slug from practices order by slug")).all()
    return {NOBODY: "The installation itself"} | {row.id: f"Practice {row.name} ({row.slug})" for row in rows}


def examine_database(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    where = "embedded" if installation.store.embedded else "server"
    yield Finding("database", True, f"PostgreSQL {version} answers.", {"version": version, "where": where})


def examine_schema(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        require_newest(connection)
        revision = revision_of(connection)
    yield Finding("schema", True, f"The schema is up to date ({revision}).", {"revision": revision})


def examine_policies(installation: Installation) -> Iterator[Finding]:
    with installation.store.engine.connect() as connection:
        problems = unprotected_tables(connection)
    for problem in problems:
        what_to_do = "Records of one practice may be seen from another: stop the service and restore the protection."
        yield Finding("row-level security", False, f"{problem} {what_to_do}")
    if not problems:
        yield Finding("row-level security", True, "Every table of a practice is closed to all others.")


def examine_chain(installation: Installation, tenant_id: UUID, name: str) -> Iterator[Finding]:
    with installation.store.session_in(tenant_id) as db:
        db.execute(text("set local statement_timeout = 0"))  # a long log takes its time
        began = time.perf_counter()
        report = verify_chain(db, tenant_id, installation.anchors)
        seconds = time.perf_counter() - began
        loose = db.execute(
            text("""
                select count(*) as entries, max(at) - min(at) as span from audit_log
                where tenant_id = :tenant_id and seq > :anchored
            """),
            {"tenant_id": tenant_id, "anchored": report.anchored},
        ).one()
    rate = round(report.entries / max(seconds, 1e-9))
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "entries": report.entries, "rows_per_second": rate}
    if report.problems:
        what_to_do = "Keep the database and the anchors as they are, and compare with a backup to see what was changed."
        sentence = f"{name}: the audit log is not what was written. {' '.join(report.problems)} {what_to_do}"
        yield Finding("audit log", False, sentence, facts | {"entry": report.place, "problems": report.problems})
        return
    if not report.entries:
        # Making a practice is an entry in both logs, so only an installation that is still empty may have none.
        sentence = (
            f"{name}: the audit log is empty, though the practice's making stood in it. Restore it from a backup."
        )
        empty = Finding("audit log", True, f"{name}: nothing has been done yet.", facts)
        yield (
            empty
            if tenant_id == NOBODY and len(names_of(installation)) == 1
            else Finding("audit log", False, sentence, facts)
        )
        return
    yield Finding("audit log", True, f"{name}: {report.entries} entries, intact ({rate} a second).", facts)
    if loose.entries and loose.span > ANCHORED_WITHIN:
        yield Finding(
            "audit log",
            False,
            f"{name}: the entries from {report.anchored + 1} on, {loose.entries} of them, are not anchored outside the "
            "database. Start the service, which does it every half minute; if it runs, see that it can write to "
            f"{installation.anchors.folder}.",
            facts | {"entry": report.anchored + 1, "not_anchored": loose.entries},
        )


def examine_lost_practices(installation: Installation, known: set[UUID]) -> Iterator[Finding]:
    for tenant_id in installation.anchors.tenants():
        if tenant_id not in known:
            sentence = f"Practice {tenant_id} has audit anchors, but is not in the database. Restore it from a backup."
            yield Finding("audit log", False, sentence, {"tenant_id": str(tenant_id)})


def examine_fields(installation: Installation, tenant_id: UUID, name: str) -> Iterator[Finding]:
    with installation.store.session_in(tenant_id) as db:
        keys, problems = open_keys(db, installation, tenant_id)
        cipher = FieldCipher(tenant_id, keys, max(keys)) if keys else None
        opened = older = 0
        closed: list[str] = []
        for sealed in sealed_fields(db, tenant_id):
            try:
                if cipher is None:
                    raise DecryptionRefused("There is no key.")
                cipher.open(sealed.table.name, sealed.column, sealed.row_id, sealed.sealed)
                opened += 1
                older += sealed_with(sealed.sealed) != cipher.current
            except DecryptionRefused:
                closed.append(f"{sealed.table.name}.{sealed.column} of {sealed.row_id}")
    facts: dict[str, Any] = {"tenant_id": str(tenant_id), "keys": len(keys), "fields": opened, "under_older_key": older}
    for problem in problems:
        yield Finding("encryption", False, f"{name}: {problem}", facts)
    if closed:
        some = ", ".join(closed[:3]) + (" and others" if len(closed) > 3 else "")
        sentence = f"{name}: {len(closed)} protected fields do not open ({some}). Restore these records from a backup."
        yield Finding("encryption", False, sentence, facts | {"closed": closed[:100]})
    if problems or closed:
        return
    if older:
        sentence = f"{name}: {older} of {opened} protected fields are under an older key. Rotate to renew them."
        yield Finding("encryption", True, sentence, facts)
    else:
        yield Finding("encryption", True, f"{name}: all {opened} protected fields open.", facts)


def open_keys(db: Session, installation: Installation, tenant_id: UUID) -> tuple[dict[int, bytes], list[str]]:
    """The data keys that the master key opens, and a sentence for each that it does not."""
    keys, problems = {}, []
    for row in db.scalars(select(DataKey).where(DataKey.tenant_id == tenant_id).order_by(DataKey.number)):
        try:
            keys[row.number] = unwrap_data_key(installation.master, tenant_id, row.number, row.wrapped)
        except DecryptionRefused:
            problems.append(
                f"Data key {row.number} is under the master key {row.master_key_id}, and the one at hand is "
                f"{installation.master.key_id}. Name the right one, or finish the change of the master key."
                if row.master_key_id != installation.master.key_id
                else f"Data key {row.number} was altered. Restore it from a backup."
            )
    return keys, problems


def examine_people(installation: Installation, tenant_id: UUID, name: str) -> Iterator[Finding]:
    with installation.store.session_in(tenant_id) as db:
        parameters = {"t": tenant_id}
        strangers = db.scalars(
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
                where s.tenant_id = :t and s.deactivated_at is null and not exists (
                    select from memberships as m
                    where m.tenant_id = :t and m.account_id = s.account_id and m.ended_at is null
                )
                order by 1
            """),
            parameters,
        ).all()
    if strangers:
        sentence = (
            f"{name}: {len(strangers)} accounts have a place here and are neither of the staff nor clients. End these."
        )
        yield Finding("people", False, sentence, {"accounts": [str(account) for account in strangers[:100]]})
    if shut_out:
        sentence = f"{name}: {len(shut_out)} of the staff have no place to sign in to. Invite or deactivate them."
        yield Finding("people", False, sentence, {"staff": [str(staff) for staff in shut_out[:100]]})


def examine_accounts(installation: Installation, now: datetime) -> Iterator[Finding]:
    with installation.store.system_session() as db:
        alone = db.scalars(
            text("""
                select a.id from accounts as a
                where not a.platform_admin and a.disabled_at is null
                    and not exists (select from memberships as m where m.account_id = a.id)
                order by 1
            """)
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
        sentence = f"{len(alone)} accounts belong to no practice and never did. Invite these people, or disable them."
        yield Finding("accounts", False, sentence, {"accounts": [str(account) for account in alone[:100]]})
    stray = [str(session) for session in sessions.stray or []]
    if stray:
        sentence = f"{len(stray)} sessions are open for people who may no longer be here. They let nobody in; end them."
        yield Finding("accounts", False, sentence, {"sessions": stray[:100]})
    if not alone and not stray:
        facts = {"live": sessions.live, "timed_out": sessions.timed_out}
        yield Finding("accounts", True, f"{sessions.live} sessions are live, all of them rightly.", facts)


def examine_outbox(installation: Installation) -> Iterator[Finding]:
    folder = installation.letters.folder
    waiting = sum(1 for _ in folder.glob("*.json")) if folder.is_dir() else 0
    yield Finding("outbox", True, f"{waiting} letters wait in {folder}.", {"waiting": waiting})


def examine_disk(installation: Installation) -> Iterator[Finding]:
    folder: Path = installation.settings.data_dir.absolute()
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    facts = {"free_bytes": usage.free, "total_bytes": usage.total}
    free = f"{usage.free / (1 << 30):.1f} GB ({usage.free / usage.total:.0%}) are free where {folder} lies"
    if usage.free < LEAST_FREE_BYTES or usage.free < LEAST_FREE_SHARE * usage.total:
        yield Finding("disk", False, f"Only {free}. Make room before the database stops for want of it.", facts)
    else:
        yield Finding("disk", True, f"{free}.", facts)
