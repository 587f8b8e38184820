"""A process that writes continuously, with a new key each time, and repeats unacknowledged writes."""

import os
import sys
import time
from datetime import date
from pathlib import Path
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from api.idempotency import reserve_key, store_response
from practice.errors import StoreProblem
from practice.people.trainings import record_training
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.settings import Settings
from practice.store.store import Store
from tests.support.builders.people import NOW


def main(name: str, tenant_id: UUID, account_id: UUID, staff_id: UUID, acknowledged: Path, stop: Path) -> None:
    settings = Settings()
    installation = Installation(settings, Store(settings.data_dir, pool_size=2))
    number = 0
    with acknowledged.open("ab", buffering=0) as file:
        while not stop.exists():
            number += 1
            key = f"{name}-{number}"
            attempts = 1
            if number % 3 == 0:  # as if the response was lost; a kill rarely hits that moment
                write_once(installation, Actor(tenant_id, account_id, staff_id, request_id=key), key)
            while not write_once(installation, Actor(tenant_id, account_id, staff_id, request_id=key), key):
                attempts += 1
                time.sleep(0.01)
            file.write(f"{key} {attempts} {time.monotonic()}\n".encode())
    installation.store.close()


def write_once(installation: Installation, actor: Actor, key: str) -> bool:
    """Write once and return whether it was acknowledged. If not, it may or may not have happened."""
    try:
        with installation.work(actor, NOW) as work:
            if reserve_key(work, key, b"the same each time") is None:
                assert actor.staff_id is not None
                record_training(work, Scope.ALL, actor.staff_id, "OTHER", date(2026, 1, 5))
                store_response(work, key, Response(b"{}", 201))
    except (SQLAlchemyError, StoreProblem):
        return False
    return True


if __name__ == "__main__":
    name, practice, account, staff, acknowledged_file, stop_file = sys.argv[1:]
    os.environ["CASELOAD_MASTER_KEY"] = sys.stdin.readline().strip()
    main(name, UUID(practice), UUID(account), UUID(staff), Path(acknowledged_file), Path(stop_file))
