"""Connections of the service, and logins that it refuses."""

from pathlib import Path

import pytest
from sqlalchemy import text

from practice.errors import ConfigurationProblem, StoreProblem
from practice.security.installation import Installation
from practice.store.ids import new_id
from practice.store.store import Store
from tests.support.harness import cluster


def test_statements_and_idle_transactions_of_the_service_time_out(installation: Installation) -> None:
    with installation.store.engine.connect() as connection:
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout"):
            assert connection.scalar(text(f"show {setting}")) == "1min"


@pytest.mark.parametrize("group", ["caseload_warehouse", "caseload_owner"])
def test_a_login_that_could_read_every_practice_is_refused(
    own_installation: Installation, tmp_path: Path, group: str
) -> None:
    login, database = f"too_much_{new_id().hex[:12]}", own_installation.store.database
    with cluster.connect_as_superuser() as connection:
        connection.execute(f"create role {login} login password 'x{login}' in role caseload_app, {group}")
        connection.execute(f"grant connect on database {database} to {login}")
    conninfo = cluster.get_server().build_conninfo("app", database)
    store = Store(
        tmp_path, f"postgresql://{login}:x{login}@/{database}?host={conninfo['host']}&port={conninfo['port']}"
    )
    try:
        with pytest.raises(StoreProblem, match="not restricted to one practice"):
            store.check()
    finally:
        store.close()
        with cluster.connect_as_superuser(database) as connection:
            connection.execute(f"drop owned by {login}")
            connection.execute(f"drop role {login}")


def test_a_service_that_cannot_write_its_anchors_does_not_start(own_installation: Installation, tmp_path: Path) -> None:
    own_installation.check_folders()
    (tmp_path / "file").write_text("in the way")
    own_installation.settings.audit_anchor_dir = tmp_path / "file" / "anchors"
    with pytest.raises(ConfigurationProblem, match="CASELOAD_AUDIT_ANCHOR_DIR"):
        own_installation.check_folders()
