"""No practice can access another's records, for every relation, operation, role and tenant setting."""

import psycopg
import pytest

from practice.security.installation import Installation
from practice.store.policies import SYSTEM_TABLES
from tests.support.builders.two_practices import TABLES, VIEWS, create_two_practices
from tests.support.harness import cluster
from tests.support.oracles import isolation


def test_nothing_leaks_for_any_relation_operation_role_or_setting(own_installation: Installation) -> None:
    database = own_installation.store.database
    own, other = create_two_practices(own_installation, database)
    findings = isolation.examine_isolation(database, own, other)
    assert findings.leaks == [], "\n".join(findings.leaks)
    cell_count = len(isolation.NEEDS) * len(isolation.ROLES) * len(isolation.SETTINGS)
    for table in TABLES:
        assert findings.cells[table] == cell_count
    for table in SYSTEM_TABLES:
        assert findings.cells[table] == cell_count * 6 // 7, "rows without a practice cannot be moved to another one"
    for view in VIEWS:
        assert findings.cells[view] == cell_count // len(isolation.NEEDS), "views are only read"
    assert set(findings.cells) == {*TABLES, *VIEWS, *SYSTEM_TABLES}
    print(f"{len(findings.cells)} relations, {findings.cells.total()} cells, {len(findings.leaks)} leaks")  # noqa: T201


def test_the_service_cannot_use_the_trigger_function_of_the_audit_log(
    own_installation: Installation,
) -> None:
    """As a trigger on another table, that function would advance the head without an entry in the log."""
    with psycopg.connect(**cluster.get_server().build_conninfo("app", own_installation.store.database)) as app:
        app.execute("create temporary table mine (like audit_log)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="chain_audit_entry"):
            app.execute(
                "create trigger borrowed before insert on mine for each row execute function chain_audit_entry()"
            )
