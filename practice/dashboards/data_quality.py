"""The page of data quality: what is wrong or missing in the records, how much, since when, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.clinical.deadlines.rules import NO_SESSION_NOTES
from practice.clinical.supervision.rules import LICENSES
from practice.dashboards.data_quality_checks import FOUND_SQL, QUALITY_CHECKS, CheckKey, QualityCheck
from practice.dashboards.needs import Need, Urgency
from practice.people.models.practices import Practice
from practice.people.practice_time import local_today
from practice.people.rules.clients import compute_adult_cutoff
from practice.people.settings import get_setting
from practice.security.work import Work
from practice.text import format_count

STATEMENT = text(FOUND_SQL)
MAX_NEEDS = 5


class QualityRow(NamedTuple):
    """A record that a check finds."""

    check: QualityCheck
    since_on: date
    record_id: UUID
    client_id: UUID | None
    staff_id: UUID | None
    label: str | None


@dataclass(frozen=True)
class CheckResult:
    """A check with the number of its records, and since when the oldest of them is wrong."""

    check: QualityCheck
    count: int = 0
    since_on: date | None = None


@dataclass(frozen=True)
class DataQuality:
    """Everything that the page shows at first."""

    today: date
    brief: Sequence[str]
    results: Sequence[CheckResult]
    rows: Sequence[QualityRow]
    count: int
    next_offset: int | None
    needs: Sequence[Need]


def load_data_quality(work: Work, check: CheckKey | None, limit: int, offset: int) -> DataQuality:
    """Return the page, with the records of one check or of all."""
    today = local_today(work)
    parameters = {
        "tenant_id": work.tenant_id,
        "now": work.now,
        "today": today,
        "zone": work.db.get_one(Practice, work.tenant_id).time_zone,
        "adult_cutoff": compute_adult_cutoff(today),
        "supervised": [name for name in LICENSES if get_setting(work, f"supervision_hours_{name.lower()}") > 0],
        "no_session_notes": list(NO_SESSION_NOTES),
        "checks": [check] if check else list(QUALITY_CHECKS),
        "limit": limit,
        "offset": offset,
    }
    found = {key: CheckResult(one) for key, one in QUALITY_CHECKS.items()}
    rows = []
    for key, number, since_on, *record in work.db.execute(STATEMENT, parameters):
        if number is None:
            rows.append(QualityRow(QUALITY_CHECKS[key], since_on, *record))
        else:
            found[key] = CheckResult(QUALITY_CHECKS[key], number, since_on)
    shown = {row.client_id for row in rows if row.client_id is not None}
    work.record_list("clients.listed", shown, part="data quality", found=len(shown))
    results = list(found.values())
    count = found[check].count if check else sum(result.count for result in results)
    last = offset + len(rows)
    wrong = [result for result in results if result.count]
    return DataQuality(
        today=today,
        brief=describe(wrong, today),
        results=results,
        rows=rows,
        count=count,
        next_offset=last if rows and last < count else None,
        needs=[build_need(result) for result in wrong[:MAX_NEEDS]],
    )


def build_need(result: CheckResult) -> Need:
    """Return a check that finds something, with what it makes wrong and what to do."""
    check = result.check
    urgency: Urgency = "today" if check.key == "open_visits" else "this_week"
    title = f"{check.label}: {result.count:,}" if check.record_kind != "practice" else check.label
    return Need(check.key, urgency, title, f"{check.effect} {check.to_do}", result.count, "show_check", "Show them")


def describe(wrong: Sequence[CheckResult], today: date) -> list[str]:
    """Return how much is wrong, where most of it is, since when, and what to do first."""
    if not wrong:
        return ["Nothing is wrong or missing in the records that figures and bills rest on."]
    total = sum(result.count for result in wrong)
    verb = "makes" if total == 1 else "make"
    sentences = [
        f"{format_count(total, 'record')} in {format_count(len(wrong), 'check')} {verb} figures or bills wrong."
    ]
    worst = max(wrong, key=lambda result: result.count)
    oldest = min((result for result in wrong if result.since_on), key=lambda result: result.since_on or today)
    label = worst.check.label
    sentences.append(f"Most: {label[0].lower()}{label[1:]} ({worst.count:,}).")
    if oldest.since_on is not None and oldest is not worst:
        sentences.append(f"The oldest is of {oldest.since_on:%B} {oldest.since_on.day}, {oldest.since_on.year}.")
    return sentences
