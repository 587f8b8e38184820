"""A bundle becomes a practice: everything in one transaction of the runtime role, or nothing.

Rows go by COPY into a temporary table and from there by one statement into their own, since COPY knows no policies.
While the database works on a portion, the next ones are shaped and sealed in a thread.
"""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
import psycopg
from psycopg import sql
from sqlalchemy import text

from ingest.bundle import column_mapping
from ingest.bundle.format import FILES
from ingest.bundle.reader import Bundle, read_bundle
from ingest.bundle.replacement import PracticeExists, refuse_or_set_aside
from ingest.bundle.rows import SINCE_EVER, Rows, database_rows, gone
from practice.people.models.practices import Practice, RuleSetting
from practice.people.rules.practices import slug_of
from practice.security.accounts import accounts_for, add_members, invite
from practice.security.encryption import FieldCipher
from practice.security.installation import Installation
from practice.security.work import Actor, Work
from practice.store.ids import new_id
from practice.store.records import refusing

PORTION = 50_000  # rows at a time: few enough for memory and for showing progress
UNHURRIED = (
    "statement_timeout = 0",
    "idle_in_transaction_session_timeout = 0",
    "plan_cache_mode = force_generic_plan",  # of what triggers ask for each row, with the same answer every time
    "enable_seqscan = off",  # for that plan holds for all rows, and is made while a table has but a few
)
AHEAD = 2  # portions made ready while the database works on one


@dataclass(frozen=True)
class Imported:
    practice: Practice
    rows: dict[str, int]  # by file
    invitations: list[tuple[str, str]]  # of each admin: the address, and the secret that lets them in once


def import_bundle(
    installation: Installation,
    path: Path,
    now: datetime,
    say: Callable[[str], None],
    *,
    allow_overlaps: bool = False,
    replace: bool = False,
) -> Imported:
    bundle = read_bundle(path, now, say, allow_overlaps=allow_overlaps)
    counts = {file: len(bundle.frames[table.name]) for file, table in FILES.items()}
    with installation.work(Actor(), now) as work:
        row = bundle.frames["practice"].row(0, named=True)
        refuse_or_set_aside(work, row["name"], replace=replace)
        practice = add_practice(work, row)
        with work.inside(practice.id) as inside:
            for setting in UNHURRIED:
                inside.db.execute(text(f"set local {setting}"))
            practice.tax_id = inside.seal("practices", "tax_id", practice.id, row["tax_id"])
            set_target(inside, row["average_reimbursement_target"])
            left = gone(bundle.frames["staff"], now.astimezone(ZoneInfo(practice.time_zone)).date())
            account_ids, invitations = add_people(inside, bundle.frames["staff"], left)
            load(inside, database_rows(bundle.frames, account_ids, left, now), say)
            inside.record("practice.imported", "practice", practice.id, rows=counts, digest=digest_of(bundle))
    return Imported(practice, counts, invitations)


def add_practice(work: Work, row: dict[str, Any]) -> Practice:
    slug = slug_of(row["name"])
    practice = Practice(
        id=new_id(), name=row["name"], slug=slug, time_zone=row["time_zone"], npi=row["npi"], created_at=work.now
    )
    work.db.add(practice)
    with refusing("uq_practices_slug", PracticeExists(f"The practice exists ({slug}), and nothing was changed.")):
        work.db.flush()
    work.record("practice.imported", "practice", practice.id)
    return practice


def set_target(work: Work, cents: int | None) -> None:
    if cents is not None:
        work.db.add(
            RuleSetting(
                tenant_id=work.tenant_id,
                key=column_mapping.REIMBURSEMENT_TARGET,
                value=cents,
                effective_on=SINCE_EVER.date(),
                set_at=SINCE_EVER,
            )
        )


def add_people(work: Work, staff: pl.DataFrame, left: pl.Series) -> tuple[list[str], list[tuple[str, str]]]:
    """An account for each of the staff, and a place for who has not left. Returns the accounts, and the invitations.

    Nobody is let in by an import: a place counts once it was taken, and only the admins are invited at once.
    """
    emails = staff["email"].str.to_lowercase().to_list()
    accounts = accounts_for(work.db, emails, work.now)
    for ended in (False, True):
        members = [accounts[email].id for email, has_left in zip(emails, left, strict=True) if has_left == ended]
        add_members(work, members, ended=ended)
    admins = [
        accounts[email]
        for email, roles, has_left in zip(emails, staff["roles"].to_list(), left, strict=True)
        if "admin" in roles and not has_left
    ]
    return [str(accounts[email].id) for email in emails], [(admin.email, invite(work, admin)) for admin in admins]


def load(work: Work, tables: Iterable[Rows], say: Callable[[str], None]) -> None:
    work.db.flush()
    driver: psycopg.Connection = work.db.connection().connection.driver_connection  # ty: ignore[invalid-assignment]
    cipher = work.keys.cipher(work.tenant_id)
    portions = ((rows, start) for rows in tables for start in range(0, len(rows.source), PORTION))
    with ThreadPoolExecutor(1) as pool, driver.cursor() as cursor:
        for rows, start, columns, data in ahead(pool, portions, cipher):
            say(f"Writing {rows.table}, {start:,} of {len(rows.source):,}")
            write(cursor, work.tenant_id, rows, columns, data)
            if rows.table == "staff":
                cursor.execute("select know_staff()")


def ahead(
    pool: ThreadPoolExecutor, portions: Iterable[tuple[Rows, int]], cipher: FieldCipher
) -> Iterator[tuple[Rows, int, list[str], bytes]]:
    """The portions in their order, a few of them made ready before they are asked for."""
    waiting: deque[tuple[Rows, int, Future[tuple[list[str], bytes]]]] = deque()
    for rows, start in portions:
        waiting.append((rows, start, pool.submit(portion, rows, start, cipher)))
        if len(waiting) > AHEAD:
            first, at, ready = waiting.popleft()
            yield first, at, *ready.result()
    for first, at, ready in waiting:
        yield first, at, *ready.result()


def portion(rows: Rows, start: int, cipher: FieldCipher) -> tuple[list[str], bytes]:
    frame = rows.shape(rows.source.slice(start, PORTION))
    if rows.sealed:
        frame = frame.with_columns(sealed(cipher, rows.table, rows.sealed, frame))
    out = io.BytesIO()
    frame.write_csv(out, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f+00", time_format="%H:%M:%S")
    return frame.columns, out.getvalue()


def sealed(cipher: FieldCipher, table: str, column: str, frame: pl.DataFrame) -> pl.Series:
    """The column's texts, sealed, as COPY writes bytes."""
    texts = [
        None if text is None else "\\x" + cipher.seal(table, column, UUID(row_id), text).hex()
        for row_id, text in zip(frame["id"], frame[column], strict=True)
    ]
    return pl.Series(column, texts, dtype=pl.String)


def write(cursor: psycopg.Cursor, tenant_id: UUID, rows: Rows, columns: list[str], data: bytes) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    parts = {"table": sql.Identifier(rows.table), "names": names, "incoming": sql.Identifier(f"incoming_{rows.table}")}
    cursor.execute(
        sql.SQL(
            "create temporary table if not exists {incoming} on commit drop as select {names} from {table} with no data"
        ).format(**parts)
    )
    with cursor.copy(sql.SQL("copy {incoming} from stdin (format csv)").format(**parts)) as copy:
        copy.write(data)
    given = {"tenant_id": tenant_id, **rows.constants}
    cursor.execute(
        sql.SQL("insert into {table} ({given}, {names}) select {values}, {names} from {incoming}").format(
            given=sql.SQL(", ").join(map(sql.Identifier, given)),
            values=sql.SQL(", ").join(map(sql.Literal, given.values())),
            **parts,
        )
    )
    cursor.execute(sql.SQL("truncate {incoming}").format(**parts))


def digest_of(bundle: Bundle) -> str:
    """One digest of all files, whatever their order."""
    lines = "".join(f"{digest}  {file}\n" for file, digest in sorted(bundle.digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
