"""Benchmark of verifying and writing an audit log, against plain hashing of the same rows in the same run."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from practice.security.audit import Anchors, verify_chain
from practice.security.encryption import MasterKey
from practice.store.ids import new_id
from practice.store.store import Store

ROWS = 200_000
ROWS_PER_TRANSACTION = 1_000  # each adds a new version of the head, which the next one has to skip
ROUNDS = 3

INSERT_ENTRIES = text("""
    insert into audit_log (tenant_id, at, account_id, session_id, request_id, action, subject_kind, subject_id, details)
    select :tenant_id, timestamptz '2026-01-05' + make_interval(secs => n), gen_random_uuid(), gen_random_uuid(),
        gen_random_uuid()::text, 'client.read', 'client', gen_random_uuid(),
        jsonb_build_object('fields', jsonb_build_array('first_name', 'phone'), 'n', n)
    from generate_series(1, :rows) as n
""")
HASH_ONLY = text("""
    select count(*) filter (where sha256(convert_to(l::text, 'UTF8')) is not null) from audit_log as l
    where tenant_id = :tenant_id
""")


def main() -> None:
    memory = Path("/dev/shm")  # noqa: S108 - used only for a new folder in it
    with tempfile.TemporaryDirectory(prefix="cl-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        folder.chmod(0o711)
        store = Store(folder / "data")
        assert store.embedded is not None
        try:
            store.prepare()
            measure(store, Anchors(folder / "anchors", MasterKey.generate()))
        finally:
            store.close()
            store.embedded.stop()


def measure(store: Store, anchors: Anchors) -> None:
    tenant_id = new_id()
    start = time.perf_counter()
    for _ in range(ROWS // ROWS_PER_TRANSACTION):
        with store.begin_session(tenant_id) as db:
            db.execute(INSERT_ENTRIES, {"tenant_id": tenant_id, "rows": ROWS_PER_TRANSACTION})
        with store.begin_session(tenant_id) as db:
            anchors.append_head(db, tenant_id, datetime.now(UTC))
    write_rate = ROWS / (time.perf_counter() - start)
    verify_rate = hash_rate = 0.0
    with store.begin_session(tenant_id) as db:
        db.execute(text("set local max_parallel_workers_per_gather = 0"))  # one core for each of the two
        for _ in range(ROUNDS):
            start = time.perf_counter()
            report = verify_chain(db, tenant_id, anchors)
            verify_rate = max(verify_rate, ROWS / (time.perf_counter() - start))
            assert report.entries == ROWS
            assert not report.problems
            start = time.perf_counter()
            assert db.scalar(HASH_ONLY, {"tenant_id": tenant_id}) == ROWS
            hash_rate = max(hash_rate, ROWS / (time.perf_counter() - start))
    print(f"audit log of {ROWS:,} entries")
    print(f"  verified             {verify_rate:>12,.0f} rows/s (target 250,000)")
    print(f"  control: only sha256 {hash_rate:>12,.0f} rows/s ({hash_rate / verify_rate:.2f} x)")
    print(f"  written by trigger   {write_rate:>12,.0f} rows/s ({ROWS_PER_TRANSACTION:,} per transaction)")


if __name__ == "__main__":
    main()
