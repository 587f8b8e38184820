"""The practice's own rule settings: what is in force on a date, how it came about, and changing it from a date on."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select, text

from practice.errors import Invalid, NotFound
from practice.people.models.practices import RuleSetting
from practice.people.practice_time import local_today
from practice.people.rules.practices import setting_problems
from practice.rule_settings import PARAMETERS, default
from practice.security.work import Work
from practice.store.ids import new_id


@dataclass(frozen=True)
class InForce:
    key: str
    value: Any
    meaning: str
    effective_on: date | None  # None: the default, which nobody changed


def settings_in_force(work: Work, on: date | None = None) -> list[InForce]:
    rows = work.db.execute(
        text("""
            select distinct on (key) key, value, effective_on from rule_settings
            where tenant_id = :tenant_id and effective_on <= :on
            order by key, effective_on desc, set_at desc
        """),
        {"tenant_id": work.tenant_id, "on": on or local_today(work)},
    )
    found = {row.key: row for row in rows}
    return [
        InForce(key, found[key].value, parameter.meaning, found[key].effective_on)
        if key in found
        else InForce(key, parameter.default, parameter.meaning, None)
        for key, parameter in PARAMETERS.items()
    ]


def value_on(work: Work, key: str, on: date) -> int:
    """What a rule's parameter is on a date."""
    found = work.db.scalar(select(func.rule_value(work.tenant_id, key, on)))
    return default(key) if found is None else int(found)


def setting_history(work: Work, key: str) -> list[RuleSetting]:
    if key not in PARAMETERS:
        raise NotFound
    query = select(RuleSetting).where(RuleSetting.tenant_id == work.tenant_id, RuleSetting.key == key)
    return list(work.db.scalars(query.order_by(RuleSetting.effective_on.desc(), RuleSetting.set_at.desc())))


def set_rule(work: Work, key: str, value: Any, effective_on: date) -> RuleSetting:
    """From a date on, today or later. The row is added; what was in force before stays on record."""
    problems = setting_problems(key, value, effective_on, local_today(work))
    if problems:
        raise Invalid(problems)
    setting = RuleSetting(
        tenant_id=work.tenant_id,
        id=new_id(),
        key=key,
        value=value,
        effective_on=effective_on,
        set_at=work.now,
        set_by=work.actor.account_id,
    )
    work.db.add(setting)
    work.record("setting.changed", "setting", setting.id, key=key, value=value, effective_on=effective_on.isoformat())
    return setting


def setting(work: Work, key: str) -> int:
    """The value in force today."""
    query = text("""
        select rule_value(p.id, :key, (cast(:now as timestamptz) at time zone p.time_zone)::date)::integer
        from practices as p where p.id = :tenant_id
    """)
    value = work.db.scalar(query, {"key": key, "now": work.now, "tenant_id": work.tenant_id})
    return PARAMETERS[key].default if value is None else value
