"""How the search and the list get at their rows, as the service's own role under row-level security.

A hundred thousand clients of one practice, of whom a clinician has a few hundred: whatever reads all of them, or an
index without its condition, shows in the plan.
"""

from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event, select

from practice.people.access import is_within
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
COLLEAGUES = """
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
INTAKE = """
    insert into clients (tenant_id, id, external_id, first_name, last_name, birth_date, self_pay, emancipated,
        admitted_on, created_at, primary_clinician_id)
    select %(tenant_id)s, uuidv7(), 'K' || n, (%(names)s::text[])[1 + n %% 10],
        (%(names)s::text[])[1 + n / 10 %% 10] || substr(md5(n::text), 1, 5), date '1940-01-01' + n * 7 %% 28000,
        true, false, '2025-01-01', now(), (%(staff)s::uuid[])[1 + n %% %(clinicians)s]
    from generate_series(1, %(clients)s) as n
"""
VISITS = """
    insert into appointments (tenant_id, id, reference, client_id, clinician_id, service_id, starts_at, ends_at, type,
        status, status_at, created_at, booked_via, telehealth, guarded)
    select tenant_id, uuidv7(), 'BK-' || external_id, id,
        (%(staff)s::uuid[])[1 + abs(hashtext(external_id)) %% %(clinicians)s], %(service)s, '2025-02-03 10:00Z',
        '2025-02-03 11:00Z', 'THERAPY_SESSION', 'COMPLETED', now(), now(), 'FRONT_DESK', false, false
    from clients where tenant_id = %(tenant_id)s
"""
NAMES = ["Casey", "Jordan", "Riley", "Avery", "Quinn", "Example", "Sample", "Rowan", "Emery", "Hollis"]
CASELOAD = 2 * CLIENTS // CLINICIANS  # of one: those in their care, and those who visited them once
INDEXES = {
    "ix_clients_tenant_id_by_last_name",
    "ix_clients_tenant_id_by_first_name",
    "uq_clients_tenant_id_external_id",
}


@pytest.fixture
def large(own_installation: Installation) -> PracticeFixture:
    practice = make_practice(own_installation)
    supervisor = practice.add("supervisor")
    clinician = practice.add("clinician", supervisor=supervisor)
    values = {"tenant_id": practice.id, "clinicians": CLINICIANS, "team": TEAM, "supervisor": supervisor.staff_id}
    values |= {"clients": CLIENTS, "names": NAMES, "service": make_service(practice)}
    with cluster.superuser(own_installation.store.database) as connection:
        staff = [row[0] for row in connection.execute(COLLEAGUES, values).fetchall()]
        values["staff"] = [clinician.staff_id, *staff[:-1]]
        for statement in (INTAKE, VISITS, "vacuum (analyze)"):
            connection.execute(statement, values)
    return practice


def plans(practice: PracticeFixture, role: str, ask: Callable[[Work], Any]) -> list[dict[str, Any]]:
    """Every node of the plans of what is asked for, as it ran."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:
        if " clients" in statement:
            statements.append((statement, values))

    engine = practice.installation.store.engine
    with practice.work(practice.people.get(role)) as work:
        event.listen(engine, "before_cursor_execute", keep)
        ask(work)
        event.remove(engine, "before_cursor_execute", keep)
        work.entries.clear()
        explained = [
            work.db.connection().exec_driver_sql(f"explain (analyze, format json) {statement}", values).scalar_one()
            for statement, values in statements
        ]
    assert explained
    return [node for (one,) in explained for node in nodes_of(one["Plan"])]


def nodes_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes_of(part))]


def rows_read(nodes: list[dict[str, Any]], relation: str) -> int:
    """Rows that scans have looked at, whether they kept them or not."""
    looked = Counter()
    for node in nodes:
        seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        looked[node.get("Relation Name")] += int(seen * node["Actual Loops"])
    return looked[relation]


def scans(nodes: list[dict[str, Any]]) -> dict[str, set[str]]:
    """By relation, how it is got at."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        if "Relation Name" in node:
            found.setdefault(node["Relation Name"], set()).add(node["Node Type"])
        if "Index Name" in node:
            assert "Index Cond" in node, node
    return found


QUERIES = ("c", "casey", "casey exa", "exa casey", "cas sam", "sample1", "nobody", "K77", "1990-05-17")
LISTS = ({}, {"status": "ACTIVE"}, {"minor": True})


def test_a_hundred_thousand_clients_are_searched_and_listed_through_indexes(large: PracticeFixture) -> None:
    """Who reaches everybody reads no more than those of one first word; who reaches some reads them, and few else."""
    some = {"clinician": CASELOAD, "supervisor": CASELOAD * (TEAM + 1)}
    for role, scope in {"admin": Scope.ALL, "clinician": Scope.OWN, "supervisor": Scope.TEAM}.items():

        def through_indexes(ask: Callable[[Work], Any], most: int, role: str = role) -> set[str]:
            nodes = plans(large, role, ask)
            assert "Seq Scan" not in scans(nodes)["clients"] | scans(nodes).get("appointments", set())
            assert rows_read(nodes, "clients") <= most
            assert rows_read(nodes, "appointments") <= most
            return {node["Index Name"] for node in nodes if "Index Name" in node}

        most = CLIENTS // len(NAMES) + 100 if role == "admin" else 4 * some[role]
        for query in QUERIES:
            through_indexes(lambda work, q=query, s=scope: search_clients(work, s, q, 20), most)
        assert through_indexes(lambda work, s=scope: search_clients(work, s, "zz top", 20), 100) >= INDEXES
        for filters, sort in product(LISTS, ("last_name", "-first_name")):
            through_indexes(lambda work, s=scope, by=sort, f=filters: two_pages(work, s, by, f), most)
    with large.work() as work:
        somebody = work.db.scalars(select(Client.id).limit(1)).one()
    looked = plans(large, "clinician", lambda work: is_within(work, Scope.OWN, somebody))
    assert rows_read(looked, "clients") + rows_read(looked, "appointments") in range(1, 5)


def two_pages(work: Work, scope: Scope, sort: str, filters: dict[str, Any]) -> None:
    first = list_clients(work, scope, PageRequest(sort=sort), **filters)
    second = list_clients(work, scope, PageRequest(sort=sort, cursor=first.next_cursor), **filters)
    assert (len(first.items), len(second.items)) == (20, 20)
