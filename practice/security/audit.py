"""The audit log: search, verification of its chain, and anchors of its heads outside the database."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import exists, or_, select, text
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.encryption import MasterKey
from practice.security.models import AuditEntry, AuditHead, DataKey
from practice.security.retired_actions import list_names
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, fetch_page

MAX_LINE_BYTES = 1000  # of an anchor, with a wide margin

# Computed here and not by a function in the database, which an attacker who alters the log could alter too. One
# statement, so that head and chain are of the same moment while others keep writing.
CHAIN = text("""
    select chain.*, head.seq as head_seq, head.hash as head_hash,
        (select l.hash from audit_log as l where l.tenant_id = :tenant_id and l.seq = head.seq) as hash_at_head
    from (
        select count(*) as entries,
            min(seq) filter (where not intact) as first_broken,
            min(expected_seq) filter (where seq <> expected_seq) as first_gap,
            max(seq) as last_seq
        from (
            select seq, row_number() over (order by seq) as expected_seq,
                hash = sha256(coalesce(lag(hash) over (order by seq), ''::bytea) || convert_to(jsonb_build_array(
                    tenant_id, seq, extract(epoch from at), account_id, session_id, request_id,
                    action, subject_kind, subject_id, details
                )::text, 'UTF8')) as intact
            from audit_log where tenant_id = :tenant_id
        ) as entry
    ) as chain
    left join audit_heads as head on head.tenant_id = :tenant_id
""")


IN_LIST = text("details ? 'client_ids' and details -> 'client_ids' @> cast(:client_ids as jsonb)")  # by its index
VERIFICATION_LOCK = 7_235_003  # advisory lock


class VerificationInProgress(Refusal):
    """Another verification of the audit log is running.

    Fix: try again in a minute.
    """

    code = "VERIFICATION_RUNS"
    status = 409


@dataclass(frozen=True)
class ChainReport:
    """The result of verifying one practice's audit log."""

    tenant_id: UUID
    entries: int
    problems: list[str]
    first_bad_entry: int | None = None  # None when every entry is intact
    last_anchored: int = 0  # the newest entry anchored outside the database


class Anchors:
    """The anchors: heads of the audit chains in one file per practice, each line signed with a derived key.

    An attacker who owns the database can rewrite the whole history, but not so that it passes through these heads.
    """

    def __init__(self, folder: Path, master: MasterKey) -> None:
        self.folder = folder
        self._master_key_id = master.key_id
        self._key = master.derive("audit anchors")

    def append_head(self, db: Session, tenant_id: UUID, now: datetime) -> bool:
        """Append the practice's current head unless it is the last anchor. Return whether a line was written.

        With another master key than that of the practice's data keys the line would look forged: then none is written.
        """
        foreign = exists().where(DataKey.tenant_id == tenant_id, DataKey.master_key_id != self._master_key_id)
        query = select(AuditHead.seq, AuditHead.hash).where(AuditHead.tenant_id == tenant_id, ~foreign)
        head = db.execute(query).one_or_none()
        if head is None:
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self._get_path(tenant_id), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_LINE_BYTES))
            tail = file.read()
            if self._parse_anchor(tenant_id, tail.removesuffix(b"\n").split(b"\n")[-1]) == (head.seq, head.hash):
                return False
            line = self._format_line(tenant_id, head.seq, head.hash.hex(), now.astimezone(UTC).isoformat())
            # a line truncated by a full disk must not swallow this one
            file.write((b"\n" if tail and not tail.endswith(b"\n") else b"") + line)
            file.flush()
            os.fsync(file.fileno())
        return True

    def read(self, tenant_id: UUID) -> Iterator[tuple[int, bytes] | str]:
        """Yield the anchors in the order written, with a message in place of a damaged or forged line."""
        for number, line in enumerate(self._read_lines(tenant_id), 1):
            yield (
                self._parse_anchor(tenant_id, line)
                or f"Line {number} of the anchors in {tenant_id}.jsonl is damaged or forged."
            )

    def sign_with_new_key(self, tenant_id: UUID, new: "Anchors") -> int:
        """Sign the practice's anchors with another master key and return how many. Invalid lines stay as evidence."""
        lines = list(self._read_lines(tenant_id))
        signed = 0
        for index, line in enumerate(lines):
            if self._parse_anchor(tenant_id, line) is not None:
                anchor = json.loads(line)
                lines[index] = new._format_line(tenant_id, anchor["seq"], anchor["hash"], anchor["at"]).removesuffix(
                    b"\n"
                )
                signed += 1
        if signed:
            part = new._get_path(tenant_id).with_suffix(".part")
            new.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(line + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            part.replace(new._get_path(tenant_id))
        return signed

    def list_tenants(self) -> list[UUID]:
        """Return all tenants with anchors. Their files stay when a practice is removed from the database."""
        tenant_ids = []
        for path in self.folder.glob("*.jsonl"):
            with suppress(ValueError):  # not an anchor file
                tenant_ids.append(UUID(path.stem))
        return sorted(tenant_ids)

    def _get_path(self, tenant_id: UUID) -> Path:
        return self.folder / f"{tenant_id}.jsonl"

    def _read_lines(self, tenant_id: UUID) -> Iterator[bytes]:
        with suppress(FileNotFoundError), self._get_path(tenant_id).open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def _parse_anchor(self, tenant_id: UUID, line: bytes) -> tuple[int, bytes] | None:
        try:
            anchor = json.loads(line)
            seq, mac = anchor["seq"], anchor["mac"]
            if isinstance(seq, int) and hmac.compare_digest(
                mac, self._compute_mac(tenant_id, seq, anchor["hash"], anchor["at"])
            ):
                return seq, bytes.fromhex(anchor["hash"])
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def _format_line(self, tenant_id: UUID, seq: int, head: str, at: str) -> bytes:
        mac = self._compute_mac(tenant_id, seq, head, at)
        return json.dumps({"seq": seq, "hash": head, "at": at, "mac": mac}).encode() + b"\n"

    def _compute_mac(self, *parts: object) -> str:
        return hmac.new(self._key, json.dumps([str(part) for part in parts]).encode(), hashlib.sha256).hexdigest()


def search(
    work: Work,
    page_request: PageRequest,
    *,
    action: str | None = None,
    account_id: UUID | None = None,
    subject_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page:
    """Return the practice's audit entries that match all filters, newest first unless sorted otherwise.

    The entries of a client include the lists that showed them; those of an action, the ones under its retired names.
    The search is recorded with its first page.
    """
    used = {"action": action, "account_id": account_id, "subject_id": subject_id, "since": since, "until": until}
    if page_request.cursor is None:
        work.record("audit.searched", filters={name: str(value) for name, value in used.items() if value is not None})
    query = select(AuditEntry).where(AuditEntry.tenant_id == work.tenant_id)
    query = query if action is None else query.where(AuditEntry.action.in_(list_names([action])))
    query = query if account_id is None else query.where(AuditEntry.account_id == account_id)
    if subject_id is not None:
        shown = IN_LIST.bindparams(client_ids=json.dumps([str(subject_id)]))
        query = query.where(or_(AuditEntry.subject_id == subject_id, shown))
    query = query if since is None else query.where(AuditEntry.at >= since)
    query = query if until is None else query.where(AuditEntry.at < until)
    return fetch_page(work.db, query, page_request, {"seq": AuditEntry.seq}, AuditEntry.seq, "-seq")


def refuse_concurrent_verification(db: Session) -> None:
    """Raise VerificationInProgress while another verification runs: each reads a whole audit log."""
    if not db.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": VERIFICATION_LOCK}):
        raise VerificationInProgress("Another audit log verification is running. Try again in a minute.")


def verify_chain(db: Session, tenant_id: UUID, anchors: Anchors | None) -> ChainReport:
    """Recompute the practice's whole chain and compare it with its head and its anchors."""
    row = db.execute(CHAIN, {"tenant_id": tenant_id}).one()
    head_seq, last_seq = row.head_seq or 0, row.last_seq or 0
    problems: list[tuple[int, str]] = []
    if row.first_gap is not None:
        problems.append((row.first_gap, f"Entry {row.first_gap} is missing."))
    if row.first_broken is not None:
        broken = f"Entry {row.first_broken} or the one before it was altered, removed, inserted or moved."
        problems.append((row.first_broken, broken))
    if head_seq != last_seq:
        problems.append(
            (min(head_seq, last_seq) + 1, f"The log ends at entry {last_seq}, but its head is at {head_seq}.")
        )
    elif row.head_hash != row.hash_at_head:
        problems.append((head_seq, f"The head of the log does not have the hash of its last entry {head_seq}."))
    lines = list(anchors.read(tenant_id)) if anchors else []
    invalid = [line for line in lines if isinstance(line, str)]
    known = {line for line in lines if not isinstance(line, str)}  # an entry anchored twice must match both
    problems += anchor_problems(db, tenant_id, known, last_seq)
    first_bad_entry = min((seq for seq, _ in problems), default=None)
    last_anchored = max((seq for seq, _ in known), default=0)
    messages = [message for _, message in problems] + invalid
    return ChainReport(tenant_id, row.entries, messages, first_bad_entry, last_anchored)


def anchor_problems(
    db: Session, tenant_id: UUID, known: set[tuple[int, bytes]], last_seq: int
) -> list[tuple[int, str]]:
    """Return a problem, with its first entry, for each way in which the log contradicts its anchors."""
    rows = db.execute(
        text("select seq, hash from audit_log where tenant_id = :tenant_id and seq = any(:anchored)"),
        {"tenant_id": tenant_id, "anchored": sorted({seq for seq, _ in known})},
    )
    hashes = {row.seq: row.hash for row in rows}
    # queried again, since an anchor may be newer than the chain that was read
    reached = max((seq for seq, _ in known if seq not in hashes), default=0)
    rewritten = [seq for seq, anchored in known if hashes.get(seq, anchored) != anchored]
    problems = []
    if reached > last_seq:
        problems.append(
            (last_seq + 1, f"The log once reached entry {reached}; the entries after {last_seq} were cut off.")
        )
    if rewritten:
        first = min(rewritten)
        problems.append((first, f"Entry {first} differs from its anchor: the history up to it was rewritten."))
    return problems
