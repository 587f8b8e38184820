"""Rule settings of a practice: values in force on a date, their history, and changes from a date on."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select, text

from practice.errors import Invalid, NotFound
from practice.people.models.practices import RuleSetting
from practice.people.practice_time import local_today
from practice.people.rules.settings import setting_problems
from practice.rule_settings import PARAMETERS, get_default
from practice.security.work import Work
from practice.store.ids import new_id


@dataclass(frozen=True)
class EffectiveSetting:
    """A setting as in force on a date."""

    key: str
    value: Any
    meaning: str
    effective_on: date | None  # None: the default


def list_effective_settings(work: Work, on: date | None = None) -> list[EffectiveSetting]:
    """Return every setting as in force on a date (default: today)."""
    rows = work.db.execute(
        text("""
            select distinct on (key) key, value, effective_on from rule_settings
            where tenant_id = :tenant_id and effective_on <= :on
            order by key, effective_on desc, set_at desc
        """),
        {"tenant_id": work.tenant_id, "on": on or local_today(work)},
    )
    latest = {row.key: row for row in rows}
    return [
        EffectiveSetting(key, latest[key].value, parameter.description, latest[key].effective_on)
        if key in latest
        else EffectiveSetting(key, parameter.default, parameter.description, None)
        for key, parameter in PARAMETERS.items()
    ]


def get_setting_on(work: Work, key: str, on: date) -> int:
    """Return the value of a setting on a date."""
    value = work.db.scalar(select(func.rule_value(work.tenant_id, key, on)))
    return get_default(key) if value is None else int(value)


def list_setting_changes(work: Work, key: str) -> list[RuleSetting]:
    """Return every change of a setting, latest date first."""
    if key not in PARAMETERS:
        raise NotFound
    query = select(RuleSetting).where(RuleSetting.tenant_id == work.tenant_id, RuleSetting.key == key)
    return list(work.db.scalars(query.order_by(RuleSetting.effective_on.desc(), RuleSetting.set_at.desc())))


def change_setting(work: Work, key: str, value: Any, effective_on: date) -> RuleSetting:
    """Change a setting from a date on, today or later. A row is added; earlier values stay on record."""
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


def get_setting(work: Work, key: str) -> int:
    """Return the value of a setting today."""
    query = text("""
        select rule_value(p.id, :key, (cast(:now as timestamptz) at time zone p.time_zone)::date)::integer
        from practices as p where p.id = :tenant_id
    """)
    value = work.db.scalar(query, {"key": key, "now": work.now, "tenant_id": work.tenant_id})
    return PARAMETERS[key].default if value is None else value
