"""The audit trail: reading it, verifying its chain, and writing its heads down outside the database."""

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from practice.security.encryption import MasterKey
from practice.security.models import AuditEntry, AuditHead
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

# Computed here and not by a function in the database, which somebody who alters the log could alter too.
BROKEN = text("""
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
    ) as chain
""")


@dataclass(frozen=True)
class ChainReport:
    tenant_id: UUID
    entries: int
    problems: list[str]


class Anchors:
    """Heads of the chains, appended to one file a practice, each line signed with a key from the master key.

    Whoever owns the database can write a whole new history, but cannot make it lead through these heads.
    """

    def __init__(self, folder: Path, master: MasterKey) -> None:
        self.folder = folder
        self._key = master.derive("audit anchors")
        self._last: dict[UUID, int] = {}

    def drop(self, db: Session, tenant_id: UUID, now: datetime) -> bool:
        """Write the practice's present head down, when it moved since the last time."""
        head = db.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.tenant_id == tenant_id)).one_or_none()
        if head is None or self._last.get(tenant_id) == head.seq:
            return False
        line = {"seq": head.seq, "hash": head.hash.hex(), "at": now.astimezone(UTC).isoformat()}
        line["mac"] = self._mac(tenant_id, line["seq"], line["hash"], line["at"])
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self._file(tenant_id), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self._last[tenant_id] = head.seq
        return True

    def read(self, tenant_id: UUID) -> Iterator[tuple[int, bytes] | str]:
        """The anchors in the order of writing; a sentence in place of one that is damaged."""
        try:
            lines = self._file(tenant_id).read_text().splitlines()
        except FileNotFoundError:
            return
        for number, line in enumerate(lines, 1):
            try:
                anchor = json.loads(line)
                right = hmac.compare_digest(
                    anchor["mac"], self._mac(tenant_id, anchor["seq"], anchor["hash"], anchor["at"])
                )
                yield (anchor["seq"], bytes.fromhex(anchor["hash"])) if right else f"Anchor {number} is forged."
            except (ValueError, KeyError, TypeError):
                yield f"Anchor {number} is damaged."

    def tenants(self) -> list[UUID]:
        return [UUID(path.stem) for path in self.folder.glob("*.jsonl")] if self.folder.is_dir() else []

    def _file(self, tenant_id: UUID) -> Path:
        return self.folder / f"{tenant_id}.jsonl"

    def _mac(self, *parts: object) -> str:
        return hmac.new(self._key, json.dumps([str(part) for part in parts]).encode(), hashlib.sha256).hexdigest()


def search(
    work: Work,
    asked: PageRequest,
    *,
    action: str | None = None,
    account_id: UUID | None = None,
    subject_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Page:
    query = select(AuditEntry).where(AuditEntry.tenant_id == work.tenant_id)
    wanted = {AuditEntry.action: action, AuditEntry.account_id: account_id, AuditEntry.subject_id: subject_id}
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    query = query if since is None else query.where(AuditEntry.at >= since)
    query = query if until is None else query.where(AuditEntry.at < until)
    return page_of(work.db, query, asked, {"seq": AuditEntry.seq}, AuditEntry.seq, "-seq")


def verify_chain(db: Session, tenant_id: UUID, anchors: Anchors | None) -> ChainReport:
    """Recompute the practice's whole chain and hold it against its head and the anchors outside."""
    row = db.execute(BROKEN, {"tenant_id": tenant_id}).one()
    head = db.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.tenant_id == tenant_id)).one_or_none()
    problems = []
    if row.first_gap is not None:
        problems.append(f"Entry {row.first_gap} is missing.")
    if row.first_broken is not None:
        problems.append(f"Entry {row.first_broken} or the one before it was altered, removed, inserted or moved.")
    if (head.seq if head else 0) != (row.last_seq or 0):
        problems.append(f"The log ends at entry {row.last_seq or 0}, but its head says {head.seq if head else 0}.")
    elif head is not None and db.scalar(last_hash(tenant_id, head.seq)) != head.hash:
        problems.append("The head of the log does not carry the hash of its last entry.")
    problems += anchor_problems(db, tenant_id, anchors) if anchors else []
    return ChainReport(tenant_id, row.entries, problems)


def anchor_problems(db: Session, tenant_id: UUID, anchors: Anchors) -> list[str]:
    read = list(anchors.read(tenant_id))
    problems = [anchor for anchor in read if isinstance(anchor, str)]
    seen = {anchor[0]: anchor[1] for anchor in read if not isinstance(anchor, str)}
    if not seen:
        return problems
    hashes = dict(
        db.execute(
            select(AuditEntry.seq, AuditEntry.hash).where(
                AuditEntry.tenant_id == tenant_id, AuditEntry.seq.in_(list(seen))
            )
        ).all()
    )
    cut = [seq for seq in seen if seq not in hashes]
    other = [seq for seq, known in seen.items() if hashes.get(seq, known) != known]
    if cut:
        problems.append(f"The log once reached entry {max(cut)}; from entry {min(cut)} on it was cut off.")
    if other:
        problems.append(f"Entry {min(other)} is not the one that was anchored: the history before it was rewritten.")
    return problems


def last_hash(tenant_id: UUID, seq: int):
    return select(AuditEntry.hash).where(AuditEntry.tenant_id == tenant_id, AuditEntry.seq == seq)
