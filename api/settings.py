"""The practice's rule settings, each from a date on."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.deps import Desk, NotFound, endpoint
from api.responses import Input
from practice.people import settings
from practice.rule_settings import PARAMETERS

router = APIRouter(prefix="/settings", tags=["settings"])


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


class HistoryOut(BaseModel):
    items: list[ChangeOut]


def change_out(change: object) -> ChangeOut:
    return ChangeOut(**{name: getattr(change, name) for name in ChangeOut.model_fields})


@endpoint(router, "GET", "", may="settings.read")
def list_settings(
    desk: Desk, on: Annotated[date | None, Query(description="Default: today, local.")] = None
) -> SettingsOut:
    """Every setting as in force on a date."""
    found = settings.settings_in_force(desk.work, on)
    return SettingsOut(items=[SettingOut(**vars(setting)) for setting in found])


@endpoint(router, "GET", "/{key}", may="settings.read")
def get_setting_history(desk: Desk, key: str) -> HistoryOut:
    """How a setting came about: every change, the latest date first."""
    return HistoryOut(items=[change_out(change) for change in settings.setting_history(desk.work, key)])


@endpoint(router, "POST", "/{key}", may="settings.write", status=201)
def change_setting(desk: Desk, key: str, body: SettingIn) -> ChangeOut:
    """Change a setting from a date on, today or later. What was decided before stays decided."""
    if key not in PARAMETERS:
        raise NotFound
    return change_out(settings.set_rule(desk.work, key, body.value, body.effective_on))
