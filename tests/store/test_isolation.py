"""No practice reaches another's records: tried for every relation, verb, role and setting there is."""

import psycopg
import pytest

from practice.security.installation import Installation
from practice.store.policies import SYSTEM_TABLES
from tests.support.builders.two_practices import TABLES, fill
from tests.support.harness import cluster
from tests.support.oracles import isolation


def test_nothing_leaks_through_any_relation_verb_role_or_setting(own_installation: Installation) -> None:
    database = own_installation.store.database
    own, other = fill(own_installation, database)
    found = isolation.examine(database, own, other)
    assert found.leaks == [], "\n".join(found.leaks)
    every_cell = len(isolation.NEEDS) * len(isolation.ROLES) * len(isolation.SETTINGS)
    for table in TABLES:
        assert found.cells[table] == every_cell
    for table in SYSTEM_TABLES:
        assert found.cells[table] == every_cell * 6 // 7, "nothing to move where rows belong to no practice"
    assert set(found.cells) == {*TABLES, *SYSTEM_TABLES}
    print(f"{len(found.cells)} relations, {found.cells.total()} cells, {len(found.leaks)} leaks")  # noqa: T201


def test_the_service_cannot_borrow_the_function_that_writes_the_heads_of_the_audit_log(
    own_installation: Installation,
) -> None:
    """As a trigger on a table of its own, that function would count a head up without an entry in the log."""
    with psycopg.connect(**cluster.server().conninfo("app", own_installation.store.database)) as app:
        app.execute("create temporary table mine (like audit_log)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="chain_audit_entry"):
            app.execute(
                "create trigger borrowed before insert on mine for each row execute function chain_audit_entry()"
            )
