"""Reports agree with the metrics, with each other and with the records behind them, for every role."""

from datetime import date
from fractions import Fraction
from uuid import UUID

import pytest

from practice.analytics.values import Selection, list_values
from practice.reports.records import RecordsOf, load_records
from practice.reports.results import Result, run_report
from practice.reports.rules import Definition
from practice.reports.standard import STANDARD_REPORTS
from practice.reports.sums import Frame, list_records
from practice.security.permissions import Scope
from tests.reports.conftest import UNTIL, Birch

MARCH, FEBRUARY = date(2026, 3, 1), date(2026, 2, 1)
OF_MEASURES = {"collected_rate": "collection_rate", "claims_denied_rate": "denial_rate"}


def load_practice_values(birch: Birch, kind: str, start: date) -> dict[str, tuple]:
    with birch.installation.work(birch.act_as("admin"), UNTIL) as work:
        _, values = list_values(work, Selection(None, kind, start, start, "practice"))
    return {value.metric_key: (value.numerator, value.denominator, value.value) for value in values}


@pytest.mark.parametrize("key", STANDARD_REPORTS)
@pytest.mark.parametrize(
    ("kind", "start"),
    [("month", MARCH), ("month", FEBRUARY), ("quarter", date(2026, 1, 1)), ("week", date(2026, 3, 15))],
)
def test_totals_are_the_metric_values_and_the_sums_of_the_lines(birch: Birch, key: str, kind: str, start: date) -> None:
    definition = STANDARD_REPORTS[key].definition
    result = birch.run(Definition(definition.measures, definition.group, kind), birch.act_as("admin"), start)
    assert result.starts == [start]
    assert result.lines
    expected = load_practice_values(birch, kind, start)
    for measure in result.measures:
        total = result.totals[start].get(measure.key)
        cells = [line.cells[measure.key] for line in result.lines if measure.key in line.cells]
        if measure.denominator != "all":
            assert total.numerator == sum(cell.numerator for cell in cells)
        if total.denominator is not None and measure.denominator != "all":
            assert total.denominator == sum(cell.denominator or 0 for cell in cells)
        metric = OF_MEASURES.get(measure.key, measure.key)
        if metric in expected:
            assert (total.numerator, total.denominator, total.value) == expected[metric], measure.key
    if definition.group in ("age", "sex") or key == "clients_by_payer":
        assert result.totals[start]["active_clients"].numerator == expected["portal_adoption_rate"][1]
        assert all(line.cells["active_clients"].numerator >= 5 for line in result.lines)


def test_months_have_the_money_of_the_quarter(birch: Birch) -> None:
    admin, keys = birch.act_as("admin"), ("revenue", "charged", "claims_decided")
    months = [birch.run(Definition(keys, "total"), admin, start) for start in (date(2026, 1, 1), FEBRUARY, MARCH)]
    quarter = birch.run(Definition(keys, "total", "quarter"), admin).totals[date(2026, 1, 1)]
    for key in keys:
        assert sum(month.totals[month.starts[0]][key].numerator for month in months) == quarter[key].numerator


def test_revenue_is_the_same_however_it_is_grouped(birch: Birch) -> None:
    admin = birch.act_as("admin")
    totals = {
        group: birch.run(Definition(("revenue", "charged", "collected"), group, periods=3), admin).total
        for group in ("total", "clinician", "code", "payer")
    }
    query = "select sum(amount_cents) from payment_applications where posted_at between '2026-01-01T05:00Z' and :at"
    posted = birch.rows(query, at=UNTIL)
    for total in totals.values():
        assert total == totals["total"]
        assert total["revenue"].numerator == Fraction(int(posted[0][0]), 100) > 0
    assert len({line.key for line in birch.run(Definition(("revenue",), "payer"), admin).lines}) > 1


def find_supervised(birch: Birch) -> tuple[UUID, set[UUID]]:
    rows = birch.rows("select supervisor_id, id from staff where supervisor_id is not null and left_on is null")
    supervisor = rows[0][0]
    return supervisor, {row[1] for row in rows if row[0] == supervisor}


def keys_of(result: Result) -> set[str]:
    return {line.key for line in result.lines}


EVERYTHING = Definition(
    ("revenue", "charged", "claims_decided", "kept_visit_rate", "unsigned_note_backlog"), "clinician"
)


def test_each_role_sees_its_own_part_of_a_report(birch: Birch) -> None:
    supervisor, team = find_supervised(birch)
    member = next(iter(team))
    all_lines = {line.key: line for line in birch.run(EVERYTHING, birch.act_as("admin")).lines}
    own = birch.run(EVERYTHING, birch.act_as("clinician", staff_id=member))
    assert keys_of(own) == {str(member)}
    assert own.lines[0].cells == all_lines[str(member)].cells
    assert own.totals[MARCH]["revenue"].numerator == all_lines[str(member)].cells["revenue"].numerator
    of_team = birch.run(EVERYTHING, birch.act_as("supervisor", staff_id=supervisor))
    assert keys_of(of_team) <= {str(staff_id) for staff_id in {supervisor, *team}}
    assert len(keys_of(of_team)) > 1
    assert keys_of(of_team) < all_lines.keys()
    for line in of_team.lines:
        assert line.cells == all_lines[line.key].cells
    for group in ("total", "code", "payer"):
        by_group = birch.run(Definition(("revenue",), group), birch.act_as("supervisor", staff_id=supervisor))
        assert by_group.totals[MARCH]["revenue"].numerator == of_team.totals[MARCH]["revenue"].numerator
    biller = birch.run(EVERYTHING, birch.act_as("biller"))
    assert [measure.key for measure in biller.left_out] == ["kept_visit_rate", "unsigned_note_backlog"]
    assert keys_of(biller) == {
        line.key for line in all_lines.values() if "revenue" in line.cells or "charged" in line.cells
    }


def test_a_filter_never_widens_what_somebody_sees(birch: Birch) -> None:
    _, team = find_supervised(birch)
    member = next(iter(team))
    others = tuple(row[0] for row in birch.rows("select id from staff where id <> :id", id=member))
    clinician = birch.act_as("clinician", staff_id=member)
    assert birch.run(Definition(EVERYTHING.measures, "clinician", clinician_ids=others), clinician).lines == []
    assert birch.run(Definition(("revenue",), "code", clinician_ids=others), clinician).lines == []
    one = birch.run(Definition(EVERYTHING.measures, "clinician", clinician_ids=(member,)), birch.act_as("admin"))
    assert keys_of(one) == {str(member)}
    shown = [cells["revenue"].value for cells in (one.totals[MARCH], one.lines[0].cells)]
    assert shown[0] == shown[1]


def test_clients_of_a_clinician_who_also_bills_are_their_own(birch: Birch) -> None:
    _, team = find_supervised(birch)
    member = next(iter(team))
    definition = STANDARD_REPORTS["clients_by_age"].definition
    both = birch.run(definition, birch.act_as("clinician", "biller", staff_id=member))
    own = birch.run(definition, birch.act_as("clinician", staff_id=member))
    everybody = birch.run(definition, birch.act_as("admin"))
    assert both.totals == own.totals
    assert own.totals[MARCH]["active_clients"].numerator < everybody.totals[MARCH]["active_clients"].numerator
    assert birch.run(definition, birch.act_as("biller")).lines == []


def test_periods_add_up_where_they_can(birch: Birch) -> None:
    keys = ("kept_visit_rate", "treatment_plan_currency", "revenue")
    result = birch.run(Definition(keys, "clinician", periods=3), birch.act_as("admin"))
    assert result.total.keys() == {"kept_visit_rate", "revenue"}
    quarter = load_practice_values(birch, "quarter", date(2026, 1, 1))
    kept = result.total["kept_visit_rate"]
    assert (kept.numerator, kept.denominator, kept.value) == quarter["kept_visit_rate"]


@pytest.mark.parametrize("group", ["clinician", "code", "payer"])
def test_records_behind_a_sum_add_up_to_it(birch: Birch, group: str) -> None:
    admin = birch.act_as("admin")
    result = birch.run(Definition(("revenue", "charged"), group), admin)
    line = next(line for line in result.lines if len(line.cells) == 2)
    frame = Frame("month", [MARCH], result.refresh.as_of, None)
    with birch.installation.work(admin, UNTIL) as work:
        for source, name in (("postings", "revenue"), ("charges", "charged")):
            records, count, together = list_records(work, source, name, group, line.key, frame, 10_000, 0)
            assert len(records) == count > 0
            beyond = list_records(work, source, name, group, line.key, frame, 10, count)
            assert beyond == ([], count, together)
            assert sum(record.amount for record in records) == together
            assert Fraction(together, 100) == line.cells[name].numerator


def test_lines_follow_the_order_of_the_report(birch: Birch) -> None:
    admin = birch.act_as("admin")
    amounts = [
        line.cells["revenue"].value
        for line in birch.run(STANDARD_REPORTS["revenue_by_code"].definition, admin).lines
        if "revenue" in line.cells
    ]
    assert amounts == sorted(amounts, reverse=True)
    names = [line.name for line in birch.run(Definition(("revenue",), "clinician"), admin).lines]
    assert names == sorted(names, key=str.casefold)


def test_records_are_of_the_people_one_may_see(birch: Birch) -> None:
    supervisor, team = find_supervised(birch)
    member = next(iter(team))
    about = RecordsOf("charged", "month", MARCH, "total", "")
    found = {}
    for actor, scope in (
        (birch.act_as("admin"), Scope.ALL),
        (birch.act_as("supervisor", staff_id=supervisor), Scope.TEAM),
        (birch.act_as("clinician", staff_id=member), Scope.OWN),
    ):
        with birch.installation.work(actor, UNTIL) as work:
            found[scope] = load_records(work, scope, about, 10_000, 0)
            result = run_report(work, Definition(("charged",), "total"))
        assert Fraction(found[scope].total, 100) == result.lines[0].cells["charged"].numerator
    people = {scope: {record.clinician_id for record in records.records} for scope, records in found.items()}
    assert people[Scope.OWN] == {member}
    assert people[Scope.OWN] < people[Scope.TEAM] <= {supervisor, *team}
    assert people[Scope.TEAM] < people[Scope.ALL]
    beyond = RecordsOf("charged", "month", MARCH, "total", "", (supervisor,))
    with birch.installation.work(birch.act_as("clinician", staff_id=member), UNTIL) as work:
        assert load_records(work, Scope.OWN, beyond, 10, 0).count == 0
