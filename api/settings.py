"""Routes of the practice's rule settings, each in force from a date on."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.fields import AccountId, RecordId, SetAt, describe, example
from api.names import PersonOf, from_record
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import NotFound
from practice.people import settings
from practice.rule_settings import PARAMETERS

router = PermissionRouter(prefix="/settings", tags=["settings"])


class SettingIn(Input):
    model_config = example(value=180, effective_on="2026-07-01")

    value: Annotated[int, describe("The new value, within the limits of the setting.")]
    effective_on: Annotated[date, describe("The first local day, today or later.")]


class SettingOut(BaseModel):
    key: Annotated[str, describe("The name of the setting.")]
    value: Annotated[int, describe("The value on that day.")]
    meaning: Annotated[str, describe("What it decides.")]
    effective_on: Annotated[date | None, describe("Since when; null for the default.")]


class SettingsOut(BaseModel):
    items: Annotated[list[SettingOut], describe("All settings.")]


class ChangeOut(BaseModel):
    id: RecordId
    key: Annotated[str, describe("The name of the setting.")]
    value: Annotated[int, describe("The value from that day on.")]
    effective_on: Annotated[date, describe("The first day on which it applies.")]
    set_at: SetAt
    set_by: AccountId | None
    set_by_person: PersonOf = None


class SettingHistoryOut(BaseModel):
    items: Annotated[list[ChangeOut], describe("The changes, latest first.")]


def to_change(change: object) -> ChangeOut:
    return from_record(ChangeOut, change)


@router.get("", permission="settings.read")
def list_settings(
    ctx: RequestContext, on: Annotated[date | None, Query(description="Default: today, local.")] = None
) -> SettingsOut:
    """List settings.

    Their values in force on a date.
    """
    values = settings.list_effective_settings(ctx.work, on)
    return SettingsOut(items=[SettingOut(**vars(setting)) for setting in values])


@router.get("/{key}", permission="settings.read")
def get_setting_history(ctx: RequestContext, key: str) -> SettingHistoryOut:
    """Get the history of a setting.

    Latest date first.
    """
    return SettingHistoryOut(items=[to_change(change) for change in settings.list_setting_changes(ctx.work, key)])


@router.post("/{key}", permission="settings.write", status_code=201)
def change_setting(ctx: RequestContext, key: str, body: SettingIn) -> ChangeOut:
    """Change a setting.

    From a date on, today or later. Earlier decisions stay.
    """
    if key not in PARAMETERS:
        raise NotFound
    return to_change(settings.change_setting(ctx.work, key, body.value, body.effective_on))
