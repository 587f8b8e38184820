"""When a clinician can be booked: their weekly windows, and the days that differ."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from practice.errors import Invalid, NotFound, Stale
from practice.local_time import date_of
from practice.people.practice_time import zone_of
from practice.scheduling.availability.queries import WINDOWS, hours_of, window_of
from practice.scheduling.availability.rules.free_time import Window, open_spans
from practice.scheduling.availability.rules.hours import count_outside, exception_problems, window_problems
from practice.scheduling.catalog.clinicians import get_clinician
from practice.scheduling.catalog.services import code_problems, ids_of
from practice.scheduling.models.appointments import Appointment
from practice.scheduling.models.availability import AvailabilityException, AvailabilityWindow, WindowService
from practice.scheduling.models.catalog import Service
from practice.scheduling.statuses import FINAL
from practice.security.permissions import Scope
from practice.security.work import Work
from practice.store.ids import new_id
from practice.store.pages import Page, PageRequest, page_of
from practice.store.records import apply

HOURS = ("weekday", "start_time", "end_time", "effective_on", "ends_on")
STRETCH = ("available", "start_time", "end_time")


@dataclass(frozen=True)
class WindowFor:
    """A window, and the codes of the services that it is for: none means all."""

    window: AvailabilityWindow
    services: list[str]


# Windows


def list_windows(work: Work, scope: Scope, staff_id: UUID, asked: PageRequest) -> Page:
    get_clinician(work, staff_id, scope)
    window = AvailabilityWindow
    query = select(window).where(
        window.tenant_id == work.tenant_id, window.clinician_id == staff_id, window.voided_at.is_(None)
    )
    page = page_of(work.db, query, asked, {"weekday": window.weekday, "id": window.id}, window.id, "weekday")
    codes = codes_of_windows(work, [found.id for found in page.items])
    return replace(page, items=[WindowFor(found, codes[found.id]) for found in page.items])


def codes_of_windows(work: Work, window_ids: Collection[UUID]) -> dict[UUID, list[str]]:
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
) -> tuple[WindowFor, int]:
    """With it comes how many appointments lie outside the clinician's hours now."""
    get_clinician(work, staff_id, scope)
    window = AvailabilityWindow(tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, version=1)
    service_ids = checked_services(work, window, hours, services)
    for name, value in hours.items():
        setattr(window, name, value)
    work.db.add(window)
    work.db.flush()
    put_services(work, window, service_ids)
    work.record("availability.added", "staff", staff_id, window_id=str(window.id))
    return WindowFor(window, sorted(service_ids)), outside_hours(work, staff_id)


def change_window(
    work: Work, scope: Scope, staff_id: UUID, window_id: UUID, version: int, changes: dict[str, Any]
) -> tuple[WindowFor, int]:
    get_clinician(work, staff_id, scope)
    window = find_window(work, staff_id, window_id)
    if window.version != version:
        raise Stale
    after = {name: changes.get(name, getattr(window, name)) for name in HOURS}
    services = changes["services"] if "services" in changes else codes_of_windows(work, [window_id])[window_id]
    service_ids = checked_services(work, window, after, services)
    apply(window, after)
    put_services(work, window, service_ids)
    work.record("availability.changed", "staff", staff_id, window_id=str(window_id), fields=sorted(changes))
    return WindowFor(window, sorted(service_ids)), outside_hours(work, staff_id)


def void_window(work: Work, scope: Scope, staff_id: UUID, window_id: UUID, reason: str) -> int:
    get_clinician(work, staff_id, scope)
    work.void(find_window(work, staff_id, window_id), reason)
    work.record("availability.voided", "staff", staff_id, window_id=str(window_id), reason=reason)
    return outside_hours(work, staff_id)


def find_window(work: Work, staff_id: UUID, window_id: UUID) -> AvailabilityWindow:
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


def checked_services(
    work: Work, window: AvailabilityWindow, hours: dict[str, Any], codes: Collection[str]
) -> dict[str, UUID]:
    """The services that the codes mean, where these hours are right in themselves and beside the clinician's others."""
    work.serialize_on(f"hours of {window.clinician_id}")
    services = ids_of(work, codes)
    ever = {"clinicians": [window.clinician_id], "first": date.min, "last": date.max}
    others = work.db.execute(WINDOWS, {"tenant_id": work.tenant_id, **ever})
    wanted = Window(*(hours[name] for name in HOURS), frozenset(services.values()))
    problems = code_problems(codes, services)
    problems += window_problems(wanted, [window_of(row) for row in others if row.id != window.id])
    if problems:
        raise Invalid(problems)
    return services


def put_services(work: Work, window: AvailabilityWindow, services: dict[str, UUID]) -> None:
    of_window = (WindowService.tenant_id == work.tenant_id, WindowService.window_id == window.id)
    work.db.execute(delete(WindowService).where(*of_window))
    work.db.add_all(
        WindowService(tenant_id=work.tenant_id, id=new_id(), window_id=window.id, service_id=service_id)
        for service_id in services.values()
    )
    work.db.flush()


# Days that differ


def list_exceptions(
    work: Work, scope: Scope, staff_id: UUID, asked: PageRequest, *, first: date | None, last: date | None
) -> Page:
    get_clinician(work, staff_id, scope)
    day = AvailabilityException
    query = select(day).where(day.tenant_id == work.tenant_id, day.clinician_id == staff_id, day.voided_at.is_(None))
    if first is not None:
        query = query.where(day.on_date >= first)
    if last is not None:
        query = query.where(day.on_date <= last)
    return page_of(work.db, query, asked, {"on_date": day.on_date, "id": day.id}, day.id, "on_date")


def add_exception(work: Work, scope: Scope, staff_id: UUID, **day: Any) -> tuple[AvailabilityException, int]:
    get_clinician(work, staff_id, scope)
    refuse_exception(day)
    exception = AvailabilityException(tenant_id=work.tenant_id, id=new_id(), clinician_id=staff_id, version=1, **day)
    work.db.add(exception)
    work.db.flush()
    work.record("availability_exception.added", "staff", staff_id, exception_id=str(exception.id))
    return exception, outside_hours(work, staff_id)


def change_exception(
    work: Work, scope: Scope, staff_id: UUID, exception_id: UUID, version: int, changes: dict[str, Any]
) -> tuple[AvailabilityException, int]:
    get_clinician(work, staff_id, scope)
    exception = find_exception(work, staff_id, exception_id)
    if exception.version != version:
        raise Stale
    refuse_exception({name: changes.get(name, getattr(exception, name)) for name in STRETCH})
    apply(exception, changes)
    work.record(
        *("availability_exception.changed", "staff", staff_id), exception_id=str(exception_id), fields=sorted(changes)
    )
    return exception, outside_hours(work, staff_id)


def void_exception(work: Work, scope: Scope, staff_id: UUID, exception_id: UUID, reason: str) -> int:
    get_clinician(work, staff_id, scope)
    work.void(find_exception(work, staff_id, exception_id), reason)
    work.record(*("availability_exception.voided", "staff", staff_id), exception_id=str(exception_id), reason=reason)
    return outside_hours(work, staff_id)


def find_exception(work: Work, staff_id: UUID, exception_id: UUID) -> AvailabilityException:
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
    problems = exception_problems(*(day[name] for name in STRETCH))
    if problems:
        raise Invalid(problems)


# What it does to what is booked


def outside_hours(work: Work, staff_id: UUID) -> int:
    """How many of the clinician's coming appointments lie outside their hours: they stay, and somebody may ask."""
    work.db.flush()
    booked = Appointment
    query = select(booked.service_id, booked.starts_at, booked.ends_at).where(
        booked.tenant_id == work.tenant_id,
        booked.clinician_id == staff_id,
        booked.starts_at > work.now,
        booked.status.not_in(FINAL),
    )
    times = defaultdict(list)
    for row in work.db.execute(query):
        times[row.service_id].append((row.starts_at, row.ends_at))
    if not times:
        return 0
    zone = zone_of(work)
    first, last = date_of(work.now, zone), date_of(max(end for spans in times.values() for _, end in spans), zone)
    hours = hours_of(work, [staff_id], first, last)[staff_id]
    return sum(
        count_outside(open_spans(hours.windows, hours.changes, hours.closures, zone, first, last, service), spans)
        for service, spans in times.items()
    )
