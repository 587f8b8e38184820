"""Routes of the practice's rule settings, each in force from a date on."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from api.context import RequestContext
from api.names import PersonOf, from_record
from api.responses import Input
from api.routing import PermissionRouter
from practice.errors import NotFound
from practice.people import settings
from practice.rule_settings import PARAMETERS

router = PermissionRouter(prefix="/settings", tags=["settings"])


class SettingIn(Input):
    value: int
    effective_on: date


class SettingOut(BaseModel):
    key: str
    value: int
    meaning: str
    effective_on: date | None


class SettingsOut(BaseModel):
    items: list[SettingOut]


class ChangeOut(BaseModel):
    id: UUID
    key: str
    value: int
    effective_on: date
    set_at: datetime
    set_by: UUID | None
    set_by_person: PersonOf = None


class HistoryOut(BaseModel):
    items: list[ChangeOut]


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
def get_setting_history(ctx: RequestContext, key: str) -> HistoryOut:
    """Get the history of a setting.

    Latest date first.
    """
    return HistoryOut(items=[to_change(change) for change in settings.list_setting_changes(ctx.work, key)])


@router.post("/{key}", permission="settings.write", status_code=201)
def change_setting(ctx: RequestContext, key: str, body: SettingIn) -> ChangeOut:
    """Change a setting.

    From a date on, today or later. Earlier decisions stay.
    """
    if key not in PARAMETERS:
        raise NotFound
    return to_change(settings.change_setting(ctx.work, key, body.value, body.effective_on))
