"""Clinicians' hours: weekly windows, and exceptions on single dates."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from practice.errors import Invalid, NotFound, Stale
from practice.local_time import DAY
from practice.people.practice_time import local_today
from practice.scheduling.availability.outside_hours import find_outside_hours
from practice.scheduling.availability.queries import WINDOWS_SQL, build_window
from practice.scheduling.availability.rules.free_time import Window
from practice.scheduling.availability.rules.hours import (
    exception_problems,
    past_end_problems,
    window_problems,
)
from practice.scheduling.catalog.clinicians import get_clinician
from practice.scheduling.catalog.services import load_service_ids, service_code_problems
from practice.scheduling.models.availability import AvailabilityException, AvailabilityWindow, WindowService
from practice.scheduling.models.catalog import Service
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, fetch_page
from practice.store.records import update_versioned

WINDOW_FIELDS = ("weekday", "start_time", "end_time", "effective_on", "ends_on")
EXCEPTION_FIELDS = ("available", "start_time", "end_time")


@dataclass(frozen=True)
class WindowWithServices:
    """A window with the codes of its services; none means all."""

    window: AvailabilityWindow
    services: list[str]


# Windows


def list_windows(work: Work, scope: Scope, staff_id: UUID, page_request: PageRequest) -> Page:
    get_clinician(work, scope, staff_id)
    query = select(AvailabilityWindow).where(
        AvailabilityWindow.tenant_id == work.tenant_id,
        AvailabilityWindow.clinician_id == staff_id,
        AvailabilityWindow.voided_at.is_(None),
    )
    sortable = {"weekday": AvailabilityWindow.weekday, "id": AvailabilityWindow.id}
    page = fetch_page(work.db, query, page_request, sortable, AvailabilityWindow.id, "weekday")
    codes = load_window_service_codes(work, [window.id for window in page.items])
    return replace(page, items=[WindowWithServices(window, codes[window.id]) for window in page.items])


def load_window_service_codes(work: Work, window_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the service codes of each window, sorted."""
    query = (
        select(WindowService.window_id, Service.code)
        .join(Service, (Service.tenant_id == WindowService.tenant_id) & (Service.id == WindowService.service_id))
        .where(WindowService.tenant_id == work.tenant_id, WindowService.window_id.in_(window_ids))
    )
    codes: dict[UUID, list[str]] = defaultdict(list)
    for row in work.db.execute(query.order_by(Service.code)):
        codes[row.window_id].append(row.code)
    return codes


def add_window(
    work: Work, scope: Scope, staff_id: UUID, *, services: Collection[str], **hours: Any
) -> tuple[WindowWithServices, set[UUID]]:
    """Add a window and return it with the visits that it puts outside the clinician's hours."""
    get_clinician(work, scope, staff_id)
    before = find_outside_hours(work, staff_id)
    window = AvailabilityWindow(tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, version=1)
    service_ids = resolve_services(work, window, hours, services, earliest_end=local_today(work))
    for name, value in hours.items():
        setattr(window, name, value)
    work.db.add(window)
    work.db.flush()
    replace_window_services(work, window, service_ids)
    work.record("availability.added", "staff", staff_id, window_id=str(window.id))
    return WindowWithServices(window, sorted(service_ids)), find_outside_hours(work, staff_id) - before


def change_window(
    work: Work, scope: Scope, staff_id: UUID, window_id: UUID, version: int, changes: dict[str, Any]
) -> tuple[WindowWithServices, set[UUID]]:
    """Change a window at this version and return it with the visits that this puts outside the hours."""
    get_clinician(work, scope, staff_id)
    before = find_outside_hours(work, staff_id)
    window = find_window(work, staff_id, window_id)
    if window.version != version:
        raise Stale
    after = {name: changes.get(name, getattr(window, name)) for name in WINDOW_FIELDS}
    services = changes["services"] if "services" in changes else load_window_service_codes(work, [window_id])[window_id]
    # hours that others replace from today on end yesterday
    earliest_end = local_today(work) - DAY if "ends_on" in changes else date.min
    service_ids = resolve_services(work, window, after, services, earliest_end=earliest_end)
    update_versioned(window, after)
    replace_window_services(work, window, service_ids)
    work.record("availability.changed", "staff", staff_id, window_id=str(window_id), fields=sorted(changes))
    return WindowWithServices(window, sorted(service_ids)), find_outside_hours(work, staff_id) - before


def void_window(work: Work, scope: Scope, staff_id: UUID, window_id: UUID, reason: str) -> set[UUID]:
    """Void a window and return the visits that this puts outside the clinician's hours."""
    get_clinician(work, scope, staff_id)
    before = find_outside_hours(work, staff_id)
    work.void(find_window(work, staff_id, window_id), reason)
    work.record("availability.voided", "staff", staff_id, window_id=str(window_id), reason=reason)
    return find_outside_hours(work, staff_id) - before


def find_window(work: Work, staff_id: UUID, window_id: UUID) -> AvailabilityWindow:
    """Lock and return the window, or raise NotFound."""
    query = select(AvailabilityWindow).where(
        AvailabilityWindow.tenant_id == work.tenant_id,
        AvailabilityWindow.clinician_id == staff_id,
        AvailabilityWindow.id == window_id,
        AvailabilityWindow.voided_at.is_(None),
    )
    window = work.db.scalar(query.with_for_update())
    if window is None:
        raise NotFound
    return window


def resolve_services(
    work: Work, window: AvailabilityWindow, hours: dict[str, Any], codes: Collection[str], *, earliest_end: date
) -> dict[str, UUID]:
    """Return the ids of the services by code, or raise Invalid for unknown codes or invalid hours."""
    work.serialize_on(f"hours of {window.clinician_id}")
    services = load_service_ids(work, codes)
    parameters = {
        "tenant_id": work.tenant_id,
        "clinicians": [window.clinician_id],
        "first": date.min,
        "last": date.max,
    }
    others = work.db.execute(WINDOWS_SQL, parameters)
    requested = Window(*(hours[name] for name in WINDOW_FIELDS), frozenset(services.values()))
    problems = service_code_problems("services", codes, services)
    problems += past_end_problems(hours["ends_on"], earliest_end)
    problems += window_problems(requested, [build_window(row) for row in others if row.id != window.id])
    if problems:
        raise Invalid(problems)
    return services


def replace_window_services(work: Work, window: AvailabilityWindow, services: dict[str, UUID]) -> None:
    """Replace the services of the window."""
    work.db.execute(
        delete(WindowService).where(WindowService.tenant_id == work.tenant_id, WindowService.window_id == window.id)
    )
    work.db.add_all(
        WindowService(tenant_id=work.tenant_id, id=new_id(), window_id=window.id, service_id=service_id)
        for service_id in services.values()
    )
    work.db.flush()


# Exceptions


def list_exceptions(
    work: Work, scope: Scope, staff_id: UUID, page_request: PageRequest, *, first: date | None, last: date | None
) -> Page:
    get_clinician(work, scope, staff_id)
    query = select(AvailabilityException).where(
        AvailabilityException.tenant_id == work.tenant_id,
        AvailabilityException.clinician_id == staff_id,
        AvailabilityException.voided_at.is_(None),
    )
    if first is not None:
        query = query.where(AvailabilityException.on_date >= first)
    if last is not None:
        query = query.where(AvailabilityException.on_date <= last)
    sortable = {"on_date": AvailabilityException.on_date, "id": AvailabilityException.id}
    return fetch_page(work.db, query, page_request, sortable, AvailabilityException.id, "on_date")


def add_exception(work: Work, scope: Scope, staff_id: UUID, **day: Any) -> tuple[AvailabilityException, set[UUID]]:
    """Add an exception and return it with the visits that it puts outside the clinician's hours."""
    get_clinician(work, scope, staff_id)
    refuse_exception(day)
    before = find_outside_hours(work, staff_id)
    equal = select(AvailabilityException).where(
        AvailabilityException.tenant_id == work.tenant_id,
        AvailabilityException.clinician_id == staff_id,
        AvailabilityException.voided_at.is_(None),
        *(getattr(AvailabilityException, name).is_not_distinct_from(value) for name, value in day.items()),
    )
    if (existing := work.db.scalar(equal.limit(1))) is not None:  # entered twice; one deletion takes it back
        return existing, set()
    exception = AvailabilityException(tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, version=1, **day)
    work.db.add(exception)
    work.db.flush()
    work.record("availability_exception.added", "staff", staff_id, exception_id=str(exception.id))
    return exception, find_outside_hours(work, staff_id) - before


def change_exception(
    work: Work, scope: Scope, staff_id: UUID, exception_id: UUID, version: int, changes: dict[str, Any]
) -> tuple[AvailabilityException, set[UUID]]:
    """Change an exception and return it with the visits that this puts outside the clinician's hours."""
    get_clinician(work, scope, staff_id)
    before = find_outside_hours(work, staff_id)
    exception = find_exception(work, staff_id, exception_id)
    if exception.version != version:
        raise Stale
    refuse_exception({name: changes.get(name, getattr(exception, name)) for name in EXCEPTION_FIELDS})
    update_versioned(exception, changes)
    work.record(
        "availability_exception.changed",
        "staff",
        staff_id,
        exception_id=str(exception_id),
        fields=sorted(changes),
    )
    return exception, find_outside_hours(work, staff_id) - before


def void_exception(work: Work, scope: Scope, staff_id: UUID, exception_id: UUID, reason: str) -> set[UUID]:
    """Void an exception and return the visits that this puts outside the clinician's hours."""
    get_clinician(work, scope, staff_id)
    before = find_outside_hours(work, staff_id)
    work.void(find_exception(work, staff_id, exception_id), reason)
    work.record("availability_exception.voided", "staff", staff_id, exception_id=str(exception_id), reason=reason)
    return find_outside_hours(work, staff_id) - before


def find_exception(work: Work, staff_id: UUID, exception_id: UUID) -> AvailabilityException:
    """Lock and return the exception, or raise NotFound."""
    query = select(AvailabilityException).where(
        AvailabilityException.tenant_id == work.tenant_id,
        AvailabilityException.clinician_id == staff_id,
        AvailabilityException.id == exception_id,
        AvailabilityException.voided_at.is_(None),
    )
    exception = work.db.scalar(query.with_for_update())
    if exception is None:
        raise NotFound
    return exception


def refuse_exception(day: dict[str, Any]) -> None:
    """Raise Invalid if the exception's times do not fit together."""
    problems = exception_problems(*(day[name] for name in EXCEPTION_FIELDS))
    if problems:
        raise Invalid(problems)
