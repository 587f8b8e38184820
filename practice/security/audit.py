"""The audit trail: reading it, verifying its chain, and writing its heads down outside the database."""

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

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from practice.errors import Refusal
from practice.security.encryption import MasterKey
from practice.security.models import AuditEntry, AuditHead
from practice.security.work import Work
from practice.store.pages import Page, PageRequest, page_of

LONGEST_LINE = 1000  # of an anchor, with much to spare

# Computed here and not by a function in the database, which somebody who alters the log could alter too. One statement,
# so that the head and the chain are of the same moment while others go on writing.
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


VERIFYING = 7_235_003  # advisory lock


class VerificationRuns(Refusal):
    code = "VERIFICATION_RUNS"
    status = 409


@dataclass(frozen=True)
class ChainReport:
    tenant_id: UUID
    entries: int
    problems: list[str]
    place: int | None = None  # the first entry that something is wrong with
    anchored: int = 0  # the last entry that was written down outside the database


class Anchors:
    """Heads of the chains, appended to one file a practice, each line signed with a key from the master key.

    Whoever owns the database can write a whole new history, but cannot make it lead through these heads.
    """

    def __init__(self, folder: Path, master: MasterKey) -> None:
        self.folder = folder
        self._key = master.derive("audit anchors")

    def drop(self, db: Session, tenant_id: UUID, now: datetime) -> bool:
        """Write the practice's present head down, when it is not the last one written, by whichever process."""
        head = db.execute(select(AuditHead.seq, AuditHead.hash).where(AuditHead.tenant_id == tenant_id)).one_or_none()
        if head is None:
            return False
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(self._file(tenant_id), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+b") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LONGEST_LINE))
            tail = file.read()
            if self._anchor(tenant_id, tail.removesuffix(b"\n").split(b"\n")[-1]) == (head.seq, head.hash):
                return False
            line = self._line(tenant_id, head.seq, head.hash.hex(), now.astimezone(UTC).isoformat())
            # a line that a full disk cut short must not take this one with it
            file.write((b"\n" if tail and not tail.endswith(b"\n") else b"") + line)
            file.flush()
            os.fsync(file.fileno())
        return True

    def read(self, tenant_id: UUID) -> Iterator[tuple[int, bytes] | str]:
        """The anchors in the order of writing; a sentence in place of one that is not of our writing."""
        for number, line in enumerate(self._lines(tenant_id), 1):
            yield (
                self._anchor(tenant_id, line)
                or f"Line {number} of the anchors in {tenant_id}.jsonl is damaged or forged."
            )

    def sign_again(self, tenant_id: UUID, new: "Anchors") -> int:
        """Put the practice's anchors under another master key. What does not verify stays as it is, and conspicuous."""
        lines = list(self._lines(tenant_id))
        signed = 0
        for place, line in enumerate(lines):
            if self._anchor(tenant_id, line) is not None:
                old = json.loads(line)
                lines[place] = new._line(tenant_id, old["seq"], old["hash"], old["at"]).removesuffix(b"\n")
                signed += 1
        if signed:
            part = new._file(tenant_id).with_suffix(".part")
            new.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(line + b"\n" for line in lines)
                file.flush()
                os.fsync(file.fileno())
            part.replace(new._file(tenant_id))
        return signed

    def tenants(self) -> list[UUID]:
        """All that have anchors. Their files stay when somebody removes a practice from the database."""
        found = []
        for path in self.folder.glob("*.jsonl"):
            with suppress(ValueError):  # somebody else's file
                found.append(UUID(path.stem))
        return sorted(found)

    def _file(self, tenant_id: UUID) -> Path:
        return self.folder / f"{tenant_id}.jsonl"

    def _lines(self, tenant_id: UUID) -> Iterator[bytes]:
        with suppress(FileNotFoundError), self._file(tenant_id).open("rb") as file:
            for line in file:
                yield line.removesuffix(b"\n")

    def _anchor(self, tenant_id: UUID, line: bytes) -> tuple[int, bytes] | None:
        try:
            anchor = json.loads(line)
            seq, mac = anchor["seq"], anchor["mac"]
            if isinstance(seq, int) and hmac.compare_digest(
                mac, self._mac(tenant_id, seq, anchor["hash"], anchor["at"])
            ):
                return seq, bytes.fromhex(anchor["hash"])
        except (ValueError, KeyError, TypeError, RecursionError):
            pass
        return None

    def _line(self, tenant_id: UUID, seq: int, head: str, at: str) -> bytes:
        mac = self._mac(tenant_id, seq, head, at)
        return json.dumps({"seq": seq, "hash": head, "at": at, "mac": mac}).encode() + b"\n"

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


def one_verification_at_a_time(db: Session) -> None:
    """It reads a whole history: of an installation's people, one may ask for that at a time."""
    if not db.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": VERIFYING}):
        raise VerificationRuns("An audit log is being verified at this moment. Try again in a minute.")


def verify_chain(db: Session, tenant_id: UUID, anchors: Anchors | None) -> ChainReport:
    """Recompute the practice's whole chain and hold it against its head and the anchors outside."""
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
            (min(head_seq, last_seq) + 1, f"The log ends at entry {last_seq}, but its head says {head_seq}.")
        )
    elif row.head_hash != row.hash_at_head:
        problems.append((head_seq, f"The head of the log does not carry the hash of its last entry {head_seq}."))
    read = list(anchors.read(tenant_id)) if anchors else []
    strangers = [anchor for anchor in read if isinstance(anchor, str)]
    known = {anchor for anchor in read if not isinstance(anchor, str)}  # an entry anchored twice must be right twice
    problems += anchor_problems(db, tenant_id, known, last_seq)
    place = min((place for place, _ in problems), default=None)
    anchored = max((seq for seq, _ in known), default=0)
    return ChainReport(tenant_id, row.entries, [sentence for _, sentence in problems] + strangers, place, anchored)


def anchor_problems(
    db: Session, tenant_id: UUID, known: set[tuple[int, bytes]], last_seq: int
) -> list[tuple[int, str]]:
    """Entries that are not what was anchored."""
    rows = db.execute(
        text("select seq, hash from audit_log where tenant_id = :tenant_id and seq = any(:anchored)"),
        {"tenant_id": tenant_id, "anchored": sorted({seq for seq, _ in known})},
    )
    hashes = {row.seq: row.hash for row in rows}
    # looked for again just now, since it may be younger than the chain that was read
    reached = max((seq for seq, _ in known if seq not in hashes), default=0)
    other = [seq for seq, anchored in known if hashes.get(seq, anchored) != anchored]
    problems = []
    if reached > last_seq:
        problems.append((last_seq + 1, f"The log once reached entry {reached}; what follows {last_seq} was cut off."))
    if other:
        rewritten = f"Entry {min(other)} is not the one that was anchored: the history up to it was rewritten."
        problems.append((min(other), rewritten))
    return problems
