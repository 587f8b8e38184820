"""Edge practices as a whole, and the spans that tests look at."""

from datetime import date

from tests.support.builders.edge_practices.draft import HOUR, TICK, Draft, EdgePractice, Span
from tests.support.builders.edge_practices.hours import add_hours, add_incidents, add_sign_ins
from tests.support.builders.edge_practices.money import add_money
from tests.support.builders.edge_practices.people import add_clients, add_staff
from tests.support.builders.edge_practices.visits import (
    add_first_visits,
    add_safety_plans,
    add_visits,
    sign_at_the_instant,
)
from tests.support.oracles.metrics.calendar import DAY
from tests.support.oracles.metrics.records import Setting
from tests.support.oracles.metrics.values import METRICS

SHORT_SPANS = (
    Span("America/Havana", date(2025, 10, 19), date(2025, 12, 31)),
    Span("Australia/Lord_Howe", date(2026, 2, 15), date(2026, 4, 30)),
)
# each with a change of the clock, where the zone has any; Samoa had no 30 December 2011
LONG_SPANS = (
    Span("America/New_York", date(2025, 9, 7), date(2026, 4, 19)),
    Span("America/Havana", date(2025, 9, 7), date(2026, 4, 19)),
    Span("Australia/Lord_Howe", date(2025, 9, 14), date(2026, 4, 30)),
    Span("Asia/Beirut", date(2025, 9, 14), date(2026, 4, 19)),
    Span("Africa/Cairo", date(2025, 10, 5), date(2026, 5, 10)),
    Span("Asia/Kathmandu", date(2025, 12, 7), date(2026, 4, 30)),
    Span("Pacific/Auckland", date(2025, 9, 14), date(2026, 4, 30)),
    Span("Pacific/Apia", date(2011, 9, 11), date(2012, 4, 22)),
)
CLIENTS, VISITS_A_WEEK = 18, 2.2  # of each clinician, beside those at the edges
TARGET_CENTS = 7_500
WINDOWS = {"plan_review_days": 40, "safety_plan_days": 364, "hipaa_training_days": 200, "note_alert_days": 5}
REQUIRED_HOURS = {"supervision_hours_lpc": 3, "supervision_hours_lmsw": 0, "supervision_hours_apc": 1}


def make_practice(span: Span) -> EdgePractice:
    """Return the edge practice of a span, always the same one."""
    draft = Draft(span)
    draft.add(
        "practice",
        name=f"Edge {span.time_zone}",
        time_zone=span.time_zone,
        average_reimbursement_target="70.00",
    )
    add_staff(draft)
    client_ids = add_clients(draft, CLIENTS)
    add_hours(draft)
    add_visits(draft, client_ids, VISITS_A_WEEK)
    add_first_visits(draft)
    add_safety_plans(draft, client_ids)
    sign_at_the_instant(draft)
    add_money(draft, client_ids)
    add_sign_ins(draft)
    add_incidents(draft)
    imported_at = draft.calendar.start_of(span.last + 120 * DAY)
    return EdgePractice(span, draft.to_tables(), choose_settings(draft), draft.instants, imported_at)


def choose_settings(draft: Draft) -> list[Setting]:
    """Return changed settings: windows, benchmarks and thresholds that small practices often hit exactly."""
    values = WINDOWS | REQUIRED_HOURS | {"average_reimbursement_target_cents": TARGET_CENTS}
    for key, metric in METRICS.items():
        for bound in metric.bounds:
            if draft.flip(0.6):
                percent = draft.choose(50, 50, 75, 100, 0) if metric.unit == "percent" else draft.choose(0, 1, 2, 7)
                values[f"{key}_{bound}"] = percent
    settings = []
    for key, value in values.items():
        first, second = draft.choose_edge_date(), draft.choose_edge_date()
        for number, (effective_on, changed) in enumerate(((first, value + 1), (first, value), (second, value // 2))):
            day = effective_on - draft.choose(0, 0, 9) * DAY
            if not draft.calendar.has_date(day):
                day -= DAY
            set_at = draft.calendar.start_of(day) + draft.choose(0, 9) * HOUR + number * TICK
            settings.append(Setting(key, changed, effective_on, set_at))
    return settings
