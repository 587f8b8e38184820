"""Sums of money, claims and clients by group and period, and the records behind them: one statement for each source."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from practice.analytics.periods import shift_period
from practice.local_time import DAY, date_before, start_of_day
from practice.people.practice_time import zone_of
from practice.security.work import Work

CLIENTS, UNKNOWN = "clients", "unknown"  # who pays, if it is not an insurance: `payer:` and its id
# As of an instant, as the warehouse counts them: what was recorded or made void after it is not there.
KNOWN_CHARGES = "c.created_at <= :as_of and (c.voided_at is null or c.voided_at > :as_of)"
CHOSEN = "(cast(:staff_ids as uuid []) is null or {clinician} = any(:staff_ids))"
COVERAGE = """
    left join lateral (
        select v.payer_id from coverages as v
        where v.tenant_id = :tenant_id and v.client_id = {client} and v.voided_at is null
            and v.effective_on <= {day} and (v.ends_on is null or v.ends_on >= {day})
        order by v.rank, coalesce(v.external_id, v.id::text) limit 1
    ) as v on true
"""
COVERED_BY = f"coalesce('payer:' || v.payer_id, '{CLIENTS}')"
AGE_BANDS = (
    "0 to 12 years",
    "13 to 17 years",
    "18 to 25 years",
    "26 to 40 years",
    "41 to 64 years",
    "65 years and over",
)
AGE_LIMITS = "array[13, 18, 26, 41, 65]"


@dataclass(frozen=True)
class Facts:
    """Where the rows of a source come from, what each adds, and the keys that they can be grouped by.

    `place` is the number of the row's period, and each row has an id, a day, a client and a clinician.
    """

    tables: str
    place: str
    sums: Mapping[str, str]
    keys: Mapping[str, str]
    row: str


POSTINGS = Facts(
    tables=f"""
        from payment_applications as a
        join charges as c on c.tenant_id = :tenant_id and c.id = a.charge_id
        join payments as p on p.tenant_id = :tenant_id and p.id = a.payment_id
        where a.tenant_id = :tenant_id and a.posted_at >= :since and a.posted_at < :until and a.posted_at <= :as_of
            and {CHOSEN.format(clinician="c.clinician_id")}
    """,
    place="width_bucket(a.posted_at, cast(:instants as timestamptz []))",
    sums={"revenue": "a.amount_cents"},
    keys={
        "total": "''",
        "clinician": "c.clinician_id::text",
        "code": "c.cpt_code",
        "payer": f"""case when p.payer = 'CLIENT' then '{CLIENTS}'
            else coalesce('payer:' || p.payer_id, '{UNKNOWN}') end""",
    },
    row="'payment_application', a.id, a.posted_at, null::date, c.client_id, c.clinician_id, c.cpt_code",
)
CHARGES = Facts(
    tables=f"""
        from charges as c
        {COVERAGE.format(client="c.client_id", day="c.service_date")}
        left join lateral (
            select sum(a.amount_cents) as cents from payment_applications as a
            where a.tenant_id = :tenant_id and a.charge_id = c.id and a.posted_at <= :as_of
        ) as a on true
        where c.tenant_id = :tenant_id and c.service_date >= :first and c.service_date < :end and {KNOWN_CHARGES}
            and {CHOSEN.format(clinician="c.clinician_id")}
    """,
    place="width_bucket(c.service_date, cast(:starts as date []))",
    sums={"charged": "c.amount_cents", "collected": "coalesce(a.cents, 0)"},
    keys={"total": "''", "clinician": "c.clinician_id::text", "code": "c.cpt_code", "payer": COVERED_BY},
    row="'charge', c.id, null::timestamptz, c.service_date, c.client_id, c.clinician_id, c.cpt_code",
)
CLAIMS = Facts(
    tables=f"""
        from claims as m
        join claim_charges as f on f.tenant_id = :tenant_id and f.claim_id = m.id and f.position = 1
        join charges as c on c.tenant_id = :tenant_id and c.id = f.charge_id
        left join coverages as v on v.tenant_id = :tenant_id and v.id = m.coverage_id
        cross join lateral (
            select sum(o.amount_cents) as cents
            from claim_charges as k
            join charges as o on o.tenant_id = :tenant_id and o.id = k.charge_id
            where k.tenant_id = :tenant_id and k.claim_id = m.id
        ) as k
        where m.tenant_id = :tenant_id and m.submitted_at <= :as_of
            and m.adjudicated_at >= :since and m.adjudicated_at < :until and m.adjudicated_at <= :as_of
            and {CHOSEN.format(clinician="c.clinician_id")}
    """,
    place="width_bucket(m.adjudicated_at, cast(:instants as timestamptz []))",
    sums={
        "decided": "1",
        "denied": "(m.outcome = 'DENIED')::int",
        "charges_denied": "case when m.outcome = 'DENIED' then k.cents else 0 end",
    },
    keys={"total": "''", "clinician": "c.clinician_id::text", "payer": "'payer:' || v.payer_id"},
    row="'claim', m.id, m.adjudicated_at, null::date, m.client_id, c.clinician_id, c.cpt_code",
)
ACTIVE_CLIENTS = Facts(
    tables=f"""
        from unnest(cast(:days as date [])) with ordinality as d (day, place)
        join clients as c on c.tenant_id = :tenant_id and c.admitted_on <= d.day
            and (c.ended_on is null or c.ended_on > d.day)
        {COVERAGE.format(client="c.id", day="d.day")}
        where {CHOSEN.format(clinician="c.primary_clinician_id")}
    """,
    place="d.place",
    sums={"clients": "1"},
    keys={
        "total": "''",
        "age": f"width_bucket(extract(year from age(d.day, c.birth_date))::int, {AGE_LIMITS})::text",
        "sex": "coalesce(nullif(trim(c.sex), ''), '')",
        "payer": f"case when c.self_pay then '{CLIENTS}' else coalesce('payer:' || v.payer_id, '{UNKNOWN}') end",
    },
    row="",  # the records of a small group would say who is in it
)
FACTS: Mapping[str, Facts] = MappingProxyType(
    {"postings": POSTINGS, "charges": CHARGES, "claims": CLAIMS, "clients": ACTIVE_CLIENTS}
)


@dataclass(frozen=True)
class Frame:
    """The periods of a report, the instant whose records count, and the clinicians it is about, or None for all."""

    kind: str
    starts: Sequence[date]
    as_of: datetime
    staff_ids: Collection[UUID] | None


class SumRow(NamedTuple):
    """The sums of a group in a period, by name. Money is in cents."""

    start: date
    key: str
    sums: dict[str, int]


class Record(NamedTuple):
    """A record that a sum counts."""

    kind: str
    id: UUID
    at: datetime | None
    on_date: date | None
    client_id: UUID
    clinician_id: UUID
    cpt_code: str
    amount: int


def build_parameters(work: Work, frame: Frame) -> dict[str, Any]:
    zone = zone_of(work)
    end = shift_period(frame.kind, frame.starts[-1], 1)
    last_known = date_before(frame.as_of, zone)
    ends = [*frame.starts[1:], end]
    return {
        "tenant_id": work.tenant_id,
        "staff_ids": None if frame.staff_ids is None else list(frame.staff_ids),
        "as_of": frame.as_of,
        "starts": list(frame.starts),
        "first": frame.starts[0],
        "end": end,
        "instants": [start_of_day(start, zone) for start in frame.starts],
        "since": start_of_day(frame.starts[0], zone),
        "until": start_of_day(end, zone),
        "days": [
            min(after - DAY, last_known) if start <= last_known else None
            for start, after in zip(frame.starts, ends, strict=True)
        ],
    }


def load_sums(work: Work, source: str, group: str, frame: Frame) -> Iterator[SumRow]:
    """Yield the sums of every group in every period."""
    facts = FACTS[source]
    sums = ", ".join(f"sum({expression})" for expression in facts.sums.values())
    query = f"select {facts.place}, {facts.keys[group]}, {sums} {facts.tables} group by 1, 2"
    for place, key, *numbers in work.db.execute(text(query), build_parameters(work, frame)):
        yield SumRow(frame.starts[place - 1], key, dict(zip(facts.sums, map(int, numbers), strict=True)))


def list_records(
    work: Work, source: str, numerator: str, group: str, key: str | None, frame: Frame, limit: int, offset: int
) -> tuple[list[Record], int, int]:
    """Return the records behind a sum of a group, or of all, with their number and their sum."""
    facts = FACTS[source]
    amount, chosen = facts.sums[numerator], "" if key is None else f"and {facts.keys[group]} = :key"
    counts = {"charges_denied": "and m.outcome = 'DENIED'", "denied": "and m.outcome = 'DENIED'"}.get(numerator, "")
    chosen_facts = f"{facts.tables} {counts} {chosen}"
    rows = f"select {facts.row}, {amount} {chosen_facts} order by 3, 4, 2 limit :limit offset :offset"
    more = build_parameters(work, frame) | {"key": key, "limit": limit, "offset": offset}
    count, total = work.db.execute(text(f"select count(*), coalesce(sum({amount}), 0) {chosen_facts}"), more).one()
    return [Record(*row) for row in work.db.execute(text(rows), more)], count, int(total)
