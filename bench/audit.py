"""How fast an audit log is verified, and written, against bare hashing of the same rows in the same run."""

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
PORTION = 1_000  # entries in one transaction; each makes a new version of the head, which the next has to pass
ROUNDS = 3

WRITE = text("""
    insert into audit_log (tenant_id, at, account_id, session_id, request_id, action, subject_kind, subject_id, details)
    select :tenant_id, timestamptz '2026-01-05' + make_interval(secs => n), gen_random_uuid(), gen_random_uuid(),
        gen_random_uuid()::text, 'client.read', 'client', gen_random_uuid(),
        jsonb_build_object('fields', jsonb_build_array('first_name', 'phone'), 'n', n)
    from generate_series(1, :rows) as n
""")
BARE = text("""
    select count(*) filter (where sha256(convert_to(l::text, 'UTF8')) is not null) from audit_log as l
    where tenant_id = :tenant_id
""")


def main() -> None:
    memory = Path("/dev/shm")  # noqa: S108 - no file of a known name is made there
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
    began = time.perf_counter()
    for _ in range(ROWS // PORTION):
        with store.session_in(tenant_id) as db:
            db.execute(WRITE, {"tenant_id": tenant_id, "rows": PORTION})
        with store.session_in(tenant_id) as db:
            anchors.drop(db, tenant_id, datetime.now(UTC))
    written = ROWS / (time.perf_counter() - began)
    verified = bare = 0.0
    with store.session_in(tenant_id) as db:
        db.execute(text("set local max_parallel_workers_per_gather = 0"))  # one core for each of the two
        for _ in range(ROUNDS):
            began = time.perf_counter()
            report = verify_chain(db, tenant_id, anchors)
            verified = max(verified, ROWS / (time.perf_counter() - began))
            assert report.entries == ROWS
            assert not report.problems
            began = time.perf_counter()
            assert db.scalar(BARE, {"tenant_id": tenant_id}) == ROWS
            bare = max(bare, ROWS / (time.perf_counter() - began))
    print(f"audit log of {ROWS:,} entries")
    print(f"  verified             {verified:>12,.0f} rows/s (target 250,000)")
    print(f"  control: bare sha256 {bare:>12,.0f} rows/s ({bare / verified:.2f} x)")
    print(f"  written by trigger   {written:>12,.0f} rows/s ({PORTION:,} a transaction)")


if __name__ == "__main__":
    main()
