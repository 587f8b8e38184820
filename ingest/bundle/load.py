"""The import of a bundle as a practice: everything in one transaction of the runtime role, or nothing.

COPY does not apply row-level security, so rows are copied into a temporary table and inserted from there.
While the database works on a chunk, a thread encodes the next ones.
"""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from ingest.bundle.format import TABLES_BY_FILE
from ingest.bundle.progress import ignore_count
from ingest.bundle.reader import Bundle, read_bundle
from ingest.bundle.replacement import PracticeExists, refuse_or_set_aside
from ingest.bundle.rows import BEGINNING_OF_TIME, TableRows, build_table_rows, has_left
from practice.people.models.practices import Practice, RuleSetting
from practice.people.rules.practices import slugify
from practice.scheduling.appointments.notifications import plan_reminders_of_practice
from practice.security.accounts import add_members, ensure_accounts, issue_invitation
from practice.security.encryption import FieldCipher
from practice.security.installation import Installation
from practice.security.work import Actor, Work
from practice.store.ids import new_id
from practice.store.records import on_conflict

CHUNK_ROWS = 50_000  # few enough for memory and for showing progress
PREFETCHED_CHUNKS = 2
BULK_SESSION_SETTINGS = (
    "app.signatures_written = on",  # with the appointments, so that the trigger of notes need not
    "app.sums_written = on",  # with the payments, and of the charges in the end
    "app.never_refreshed = on",  # a new practice, whose first refresh of the warehouse copies everything
    "statement_timeout = 0",
    "idle_in_transaction_session_timeout = 0",
    "plan_cache_mode = force_generic_plan",  # triggers run the same statements for each row
    "enable_seqscan = off",  # that one plan is made while a table is nearly empty, and used for all rows
)


PLACE_BALANCES = text("select place_imported_balances(:tenant_id), sum_balances(:tenant_id)")


@dataclass(frozen=True)
class ImportResult:
    """The imported practice."""

    practice: Practice
    rows: dict[str, int]  # by file
    invitations: list[tuple[str, str]]  # the email of each admin, and the secret of their one-time link


def import_bundle(
    installation: Installation,
    path: Path,
    now: datetime,
    report: Callable[[str], None],
    *,
    allow_overlaps: bool = False,
    replace: bool = False,
    count: Callable[[int, int], None] = ignore_count,
) -> ImportResult:
    """Import the bundle at this path as a practice, or raise BundleRefused with all its problems.

    `count` is called with how much is done and how much there is: bytes while reading, then rows.
    """
    bundle = read_bundle(path, now, report, allow_overlaps=allow_overlaps, count=count)
    counts = {file: len(bundle.frames[table.name]) for file, table in TABLES_BY_FILE.items()}
    with installation.work(Actor(), now) as work:
        row = bundle.frames["practice"].row(0, named=True)
        refuse_or_set_aside(work, row["name"], replace=replace)
        practice = add_practice(work, row)
        with work.in_practice(practice.id, imports=True) as practice_work:
            for setting in BULK_SESSION_SETTINGS:
                practice_work.db.execute(text(f"set local {setting}"))
            practice.tax_id = practice_work.seal("practices", "tax_id", practice.id, row["tax_id"])
            set_reimbursement_target(practice_work, row["average_reimbursement_target"])
            staff = bundle.frames["staff"]
            departed = has_left(staff, now.astimezone(ZoneInfo(practice.time_zone)).date())
            account_ids, invitations = add_staff_accounts(practice_work, staff, departed)
            tables = list(build_table_rows(bundle.frames, account_ids, departed, now))
            load_tables(practice_work, tables, report, count)
            practice_work.db.execute(PLACE_BALANCES, {"tenant_id": practice.id})
            report("Planning reminders")
            plan_reminders_of_practice(practice_work)
            digest = compute_digest(bundle)
            practice_work.record("practice.imported", "practice", practice.id, rows=counts, digest=digest)
    return ImportResult(practice, counts, invitations)


def add_practice(work: Work, row: dict[str, Any]) -> Practice:
    """Add the practice, or raise PracticeExists if its name was taken in the meantime."""
    slug = slugify(row["name"])
    practice = Practice(
        id=new_id(), name=row["name"], slug=slug, time_zone=row["time_zone"], npi=row["npi"], created_at=work.now
    )
    work.db.add(practice)
    with on_conflict("uq_practices_slug", PracticeExists(f"The practice {slug} already exists. Nothing was changed.")):
        work.db.flush()
    work.record("practice.imported", "practice", practice.id)
    return practice


def set_reimbursement_target(work: Work, cents: int | None) -> None:
    """Set the practice's reimbursement target, if the bundle has one."""
    if cents is not None:
        work.db.add(
            RuleSetting(
                tenant_id=work.tenant_id,
                key=column_mapping.REIMBURSEMENT_TARGET,
                value=cents,
                effective_on=BEGINNING_OF_TIME.date(),
                set_at=BEGINNING_OF_TIME,
            )
        )


def add_staff_accounts(work: Work, staff: pl.DataFrame, departed: pl.Series) -> tuple[list[str], list[tuple[str, str]]]:
    """Add an account and a membership for each of the staff. Return the account ids and the admins' invitations.

    An import gives nobody access: a membership counts once it is accepted, and only admins are invited now.
    """
    emails = staff["email"].str.to_lowercase().to_list()
    accounts = ensure_accounts(work.db, emails, work.now)
    for ended in (False, True):
        members = [accounts[email].id for email, left in zip(emails, departed, strict=True) if left == ended]
        add_members(work, members, ended=ended)
    admins = [
        accounts[email]
        for email, roles, left in zip(emails, staff["roles"].to_list(), departed, strict=True)
        if "admin" in roles and not left
    ]
    return [str(accounts[email].id) for email in emails], [
        (admin.email, issue_invitation(work, admin)) for admin in admins
    ]


def load_tables(
    work: Work, tables: Sequence[TableRows], report: Callable[[str], None], count: Callable[[int, int], None]
) -> None:
    """Write the rows of all tables into the database."""
    work.db.flush()
    driver: psycopg.Connection = work.db.connection().connection.driver_connection  # ty: ignore[invalid-assignment]
    cipher = work.keys.get_cipher(work.tenant_id)
    done, total = 0, sum(len(rows.source) for rows in tables)
    chunks = ((rows, start) for rows in tables for start in range(0, len(rows.source), CHUNK_ROWS))
    with ThreadPoolExecutor(1) as pool, driver.cursor() as cursor:
        for rows, start, columns, data in prefetch(pool, chunks, cipher):
            report(f"Writing {rows.table}: {done:,} of {total:,} rows")
            count(done, total)
            write_chunk(cursor, work.tenant_id, rows, columns, data)
            done += min(CHUNK_ROWS, len(rows.source) - start)
            if rows.table == "staff":
                cursor.execute("select know_staff()")
    count(done, total)


def prefetch(
    pool: ThreadPoolExecutor, chunks: Iterable[tuple[TableRows, int]], cipher: FieldCipher
) -> Iterator[tuple[TableRows, int, list[str], bytes]]:
    """Yield the encoded chunks in order, encoding a few ahead of the caller."""
    queue: deque[tuple[TableRows, int, Future[tuple[list[str], bytes]]]] = deque()
    for rows, start in chunks:
        queue.append((rows, start, pool.submit(encode_chunk, rows, start, cipher)))
        if len(queue) > PREFETCHED_CHUNKS:
            first_rows, first_start, encoded = queue.popleft()
            yield first_rows, first_start, *encoded.result()
    for rows, start, encoded in queue:
        yield rows, start, *encoded.result()


def encode_chunk(rows: TableRows, start: int, cipher: FieldCipher) -> tuple[list[str], bytes]:
    """Return the columns of a chunk, and its rows as CSV with one column sealed."""
    frame = rows.select(rows.source.slice(start, CHUNK_ROWS))
    if rows.sealed:
        frame = frame.with_columns(seal_column(cipher, rows.table, rows.sealed, frame))
    out = io.BytesIO()
    frame.write_csv(out, include_header=False, datetime_format="%Y-%m-%d %H:%M:%S%.6f+00", time_format="%H:%M:%S")
    return frame.columns, out.getvalue()


def seal_column(cipher: FieldCipher, table: str, column: str, frame: pl.DataFrame) -> pl.Series:
    """Return the column's texts sealed, as COPY takes bytes."""
    texts = [
        None if text is None else "\\x" + cipher.seal(table, column, UUID(row_id), text).hex()
        for row_id, text in zip(frame["id"], frame[column], strict=True)
    ]
    return pl.Series(column, texts, dtype=pl.String)


def write_chunk(cursor: psycopg.Cursor, tenant_id: UUID, rows: TableRows, columns: list[str], data: bytes) -> None:
    """Copy a chunk into a temporary table and insert it from there."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    parts = {"table": sql.Identifier(rows.table), "names": names, "incoming": sql.Identifier(f"incoming_{rows.table}")}
    cursor.execute(
        sql.SQL(
            "create temporary table if not exists {incoming} on commit drop as select {names} from {table} with no data"
        ).format(**parts)
    )
    with cursor.copy(sql.SQL("copy {incoming} from stdin (format csv)").format(**parts)) as copy:
        copy.write(data)
    constants = {"tenant_id": tenant_id, **rows.constants}
    cursor.execute(
        sql.SQL("insert into {table} ({constants}, {names}) select {values}, {names} from {incoming}").format(
            constants=sql.SQL(", ").join(map(sql.Identifier, constants)),
            values=sql.SQL(", ").join(map(sql.Literal, constants.values())),
            **parts,
        )
    )
    cursor.execute(sql.SQL("truncate {incoming}").format(**parts))


def compute_digest(bundle: Bundle) -> str:
    """Return one digest of all files, whatever their order."""
    lines = "".join(f"{digest}  {file}\n" for file, digest in sorted(bundle.digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
