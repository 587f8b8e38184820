"""Query plans of the client search and list, run as the service's database role under row-level security.

A practice has a hundred thousand clients and a clinician a few hundred of them, so the plan shows any query that reads
all clients or uses an index without a condition.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event, select

from practice.people.access import can_see_client
from practice.people.client_search import search_clients
from practice.people.clients import list_clients
from practice.people.models.clients import Client
from practice.security.installation import Installation
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.pages import PageRequest
from tests.support.builders.people import PracticeFixture, make_practice
from tests.support.builders.schedule import make_service
from tests.support.harness import cluster

CLIENTS, CLINICIANS, TEAM = 100_000, 200, 3
INSERT_STAFF = """
    with made as (
        insert into accounts (id, email, created_at)
        select uuidv7(), 'clinician-' || n || '@example.com', now() from generate_series(1, %(clinicians)s) as n
        returning id, email
    )
    insert into staff (tenant_id, id, account_id, email, first_name, last_name, roles, hired_on, created_at,
        supervisor_id)
    select %(tenant_id)s, uuidv7(), id, email, 'Robin', 'Tester', '{clinician}', '2025-01-06', now(),
        case when row_number() over () <= %(team)s then %(supervisor)s::uuid end
    from made returning id
"""
INSERT_CLIENTS = """
    insert into clients (tenant_id, id, external_id, first_name, last_name, birth_date, self_pay, emancipated,
        admitted_on, created_at, primary_clinician_id)
    select %(tenant_id)s, uuidv7(), 'K' || n, (%(names)s::text[])[1 + n %% 10],
        (%(names)s::text[])[1 + n / 10 %% 10] || substr(md5(n::text), 1, 5), date '1940-01-01' + n * 7 %% 28000,
        true, false, '2025-01-01', now(), (%(staff)s::uuid[])[1 + n %% %(clinicians)s]
    from generate_series(1, %(clients)s) as n
"""
INSERT_APPOINTMENTS = """
    insert into appointments (tenant_id, id, reference, client_id, clinician_id, service_id, starts_at, ends_at, type,
        status, status_at, created_at, booked_via, telehealth, guarded)
    select tenant_id, uuidv7(), 'BK-' || external_id, id,
        (%(staff)s::uuid[])[1 + abs(hashtext(external_id)) %% %(clinicians)s], %(service)s, '2026-03-09 10:00Z',
        '2026-03-09 11:00Z', 'THERAPY_SESSION', 'COMPLETED', now(), now(), 'FRONT_DESK', false, false
    from clients where tenant_id = %(tenant_id)s
"""
NAMES = ["Casey", "Jordan", "Riley", "Avery", "Quinn", "Example", "Sample", "Rowan", "Emery", "Hollis"]
CASELOAD = 2 * CLIENTS // CLINICIANS  # clients of one clinician: assigned to them or with one appointment
INDEXES = {"ix_client_name_words_tenant_id_word_client_id", "uq_clients_tenant_id_external_id"}


@pytest.fixture
def large_practice(own_installation: Installation) -> PracticeFixture:
    practice = make_practice(own_installation)
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    values = {"tenant_id": practice.id, "clinicians": CLINICIANS, "team": TEAM, "supervisor": supervisor.staff_id}
    values |= {"clients": CLIENTS, "names": NAMES, "service": make_service(practice)}
    with cluster.connect_as_superuser(own_installation.store.database) as connection:
        connection.execute("select set_config('app.tenant_id', %(tenant_id)s, false)", {"tenant_id": str(practice.id)})
        staff = [row[0] for row in connection.execute(INSERT_STAFF, values).fetchall()]
        values["staff"] = [clinician.staff_id, *staff[:-1]]
        for statement in (INSERT_CLIENTS, INSERT_APPOINTMENTS, "vacuum (analyze)"):
            connection.execute(statement, values)
    return practice


def explain_queries(practice: PracticeFixture, role: str, query: Callable[[Work], Any]) -> list[dict[str, Any]]:
    """Run a query and return all plan nodes of its statements on clients."""
    statements: list[tuple[str, Any]] = []

    def collect_statement(
        _connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool
    ) -> None:
        if " clients" in statement:
            statements.append((statement, values))

    engine = practice.installation.store.engine
    with practice.work(practice.people.get(role)) as work:
        event.listen(engine, "before_cursor_execute", collect_statement)
        query(work)
        event.remove(engine, "before_cursor_execute", collect_statement)
        work.entries.clear()
        explained = [
            work.db.connection().exec_driver_sql(f"explain (analyze, format json) {statement}", values).scalar_one()
            for statement, values in statements
        ]
    assert explained
    return [node for (explanation,) in explained for node in list_nodes(explanation["Plan"])]


def list_nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in list_nodes(part))]


def count_rows_read(nodes: list[dict[str, Any]], relation: str) -> int:
    """Return how many rows of the relation scans have read, including filtered ones."""
    rows = Counter()
    for node in nodes:
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        rows[node.get("Relation Name")] += int(read * node["Actual Loops"])
    return rows[relation]


def collect_scan_types(nodes: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return the scan types by relation; every index scan must have a condition."""
    scan_types: dict[str, set[str]] = {}
    for node in nodes:
        if "Relation Name" in node:
            scan_types.setdefault(node["Relation Name"], set()).add(node["Node Type"])
        if "Index Name" in node:
            assert "Index Cond" in node, node
    return scan_types


QUERIES = ("c", "casey", "casey exa", "exa casey", "cas sam", "sample1", "nobody", "K77", "1990-05-17")
LISTS = ({}, {"status": "ACTIVE"}, {"minor": True})


def test_a_hundred_thousand_clients_are_searched_and_listed_through_indexes(large_practice: PracticeFixture) -> None:
    """An admin reads at most the matches of one word; others at most a small multiple of their own clients."""
    caseloads = {"clinician": CASELOAD, "supervisor": CASELOAD * (TEAM + 1)}
    for role, scope in {"admin": Scope.ALL, "clinician": Scope.OWN, "supervisor": Scope.TEAM}.items():

        def assert_index_scans(query: Callable[[Work], Any], limit: int, role: str = role) -> set[str]:
            nodes = explain_queries(large_practice, role, query)
            assert "Seq Scan" not in collect_scan_types(nodes)["clients"] | collect_scan_types(nodes).get(
                "appointments", set()
            )
            assert count_rows_read(nodes, "clients") <= limit
            assert count_rows_read(nodes, "appointments") <= limit
            return {node["Index Name"] for node in nodes if "Index Name" in node}

        limit = CLIENTS // len(NAMES) + 100 if role == "admin" else 4 * caseloads[role]
        for search_text in QUERIES:
            assert_index_scans(lambda work, q=search_text, s=scope: search_clients(work, s, q, 20), limit)
        few = 100 if role == "admin" else limit
        assert assert_index_scans(lambda work, s=scope: search_clients(work, s, "zz top", 20), few) >= INDEXES
        for filters, sort in product(LISTS, ("last_name", "-first_name")):
            assert_index_scans(lambda work, s=scope, by=sort, f=filters: list_two_pages(work, s, by, f), limit)
    with large_practice.work() as work:
        client_id = work.db.scalars(select(Client.id).limit(1)).one()
    nodes = explain_queries(large_practice, "clinician", lambda work: can_see_client(work, Scope.OWN, client_id))
    assert count_rows_read(nodes, "clients") + count_rows_read(nodes, "appointments") in range(1, 5)


def list_two_pages(work: Work, scope: Scope, sort: str, filters: dict[str, Any]) -> None:
    first = list_clients(work, scope, PageRequest(sort=sort), **filters)
    second = list_clients(work, scope, PageRequest(sort=sort, cursor=first.next_cursor), **filters)
    assert (len(first.items), len(second.items)) == (20, 20)
