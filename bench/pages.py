"""Measurement of the pages of a practice with 100 clinicians and five years of records, over Streamlit's own protocol.

    python -m bench.pages [--appointments 1000000] [--json]

API and pages run as in production. A page counts as shown when its script has ended; the browser's own work is not in
it. Figures are those of March 2026, where the records end.
"""

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
from rich.console import Console
from rich.table import Table
from sqlalchemy import select, update

from bench.installation import find_free_port, make_folder, open_temporary_installation
from bench.warehouse_practice import create_recorded_practice
from caseload.api_process import ApiProcess
from caseload.dashboards import DashboardsProcess
from dashboards.session_file import SessionFile
from dashboards.sessions import Sessions
from practice.people.models.practices import Staff
from practice.people.trainings import record_training
from practice.security import sign_in
from practice.security.installation import Installation
from practice.security.models import Membership
from practice.security.permissions import Scope
from practice.security.work import Actor
from practice.settings import Settings
from tests.support.drivers.views import View, open_view
from warehouse.refresh import refresh_practice

APPOINTMENTS = 1_000_000
REPEATS = 30
MONTH = {"period": "month", "day": "2026-03-10"}
WEEK = {"period": "week", "day": "2026-03-10"}
PAGES = {
    "admin": ("overview", "schedule", "payroll", "compliance"),
    "supervisor": ("team",),
    "clinician": ("my-practice",),
}
PEOPLE, CLICK_SECONDS, CLICKING_SECONDS = 40, 10, 60
MANY, MOST, RERUNS = 100, 300, 3000


@dataclass(frozen=True)
class Result:
    """A figure beside its bar."""

    name: str
    value: float
    bar: float
    unit: str

    @property
    def is_met(self) -> bool:
        return self.value <= self.bar


@dataclass(frozen=True)
class Scene:
    """The running pages, and the cookies of people by role."""

    url: str
    api_url: str
    pid: int
    cookies: dict[str, str]
    tokens: dict[str, str]

    def measure_cpu(self) -> float:
        """Return the seconds of CPU that the process of the pages has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure_memory(self) -> float:
        """Return the megabytes of memory that the process of the pages holds."""
        line = next(line for line in Path(f"/proc/{self.pid}/status").read_text().splitlines() if "VmRSS" in line)
        return int(line.split()[1]) / 1024


def find_percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def show_page(view: View, path: str, **query: str) -> None:
    """Run a page to its end. A page that only says why it is refused is no measurement."""
    if b"<h1>" not in view.run(path, **query):
        raise SystemExit(f"The page {path} was not shown.")


def time_runs(count: int, run: Callable[[int], Any]) -> list[float]:
    times = []
    for number in range(count):
        start = time.perf_counter()
        run(number)
        times.append(time.perf_counter() - start)
    return times


def judge(name: str, times: list[float], median: float, p95: float) -> Iterator[Result]:
    yield Result(f"{name}, median", statistics.median(times), median, "s")
    yield Result(f"{name}, p95", find_percentile(times, 0.95), p95, "s")


def measure_pages(scene: Scene) -> Iterator[Result]:
    """Measure the change of page, of a filter, the rows of a figure, and the CPU of a full rerun."""
    for role, paths in PAGES.items():
        with open_view(scene.url, scene.cookies[role]) as view:
            for path in paths:
                show_page(view, path, **MONTH)
                yield from judge(
                    f"page {path}", time_runs(REPEATS, lambda _, path=path: show_page(view, path, **MONTH)), 0.5, 1.0
                )
                before = scene.measure_cpu()
                time_runs(REPEATS, lambda _, path=path: show_page(view, path, **MONTH))
                yield Result(f"CPU of {path}", (scene.measure_cpu() - before) / REPEATS * 1000, 40, "ms")
            if role != "admin":
                continue
            times = time_runs(REPEATS, lambda number: show_page(view, "overview", **(WEEK if number % 2 else MONTH)))
            yield from judge("filter of overview", times, 0.3, 0.6)
    rows = f"{scene.api_url}/api/v1/metrics/kept_visit_rate/rows"
    query = {"period": "month", "start": "2026-03-01", "entity_kind": "practice", "limit": "200"}
    headers = {"Authorization": f"Bearer {scene.tokens['admin']}"}
    with httpx2.Client(headers=headers, timeout=60) as client:
        times = time_runs(REPEATS, lambda _: client.get(rows, params=query).raise_for_status())
    yield from judge("rows of a figure", times, 0.5, 1.0)


def measure_many(scene: Scene) -> Iterator[Result]:
    """Measure a rerun beside 100 open views, and the memory of 300 of them over many reruns."""
    cookie = scene.cookies["clinician"]
    with ExitStack() as stack:
        first = stack.enter_context(open_view(scene.url, cookie))
        show_page(first, "my-practice", **MONTH)
        alone = statistics.median(time_runs(REPEATS, lambda _: show_page(first, "my-practice", **MONTH)))
        views = [first]
        for target in (MANY, MOST):
            while len(views) < target:
                view = stack.enter_context(open_view(scene.url, cookie))
                show_page(view, "my-practice", **MONTH)
                views.append(view)
            if target == MANY:
                beside = statistics.median(time_runs(REPEATS, lambda _: show_page(first, "my-practice", **MONTH)))
                yield Result("rerun beside 100 views, of one alone", beside / alone, 1.3, "x")
        memory = scene.measure_memory()
        yield Result("memory of 300 views", memory, 400, "MB")
        for number in range(RERUNS):
            show_page(views[number % len(views)], "my-practice", **MONTH)
        yield Result("growth over 3,000 reruns", 100 * (scene.measure_memory() / memory - 1), 5, "%")


def measure_clicks(scene: Scene) -> Iterator[Result]:
    """Measure 40 people who click once in ten seconds each."""
    times: list[float] = []
    end = time.monotonic() + CLICKING_SECONDS

    def click(number: int) -> None:
        role = list(PAGES)[number % len(PAGES)]
        with open_view(scene.url, scene.cookies[role]) as view:
            due = time.monotonic() + CLICK_SECONDS * number / PEOPLE
            turn = 0
            while due < end:
                time.sleep(max(due - time.monotonic(), 0))
                show_page(view, PAGES[role][turn % len(PAGES[role])], **MONTH)
                times.append(time.monotonic() - due)
                due, turn = due + CLICK_SECONDS, turn + 1

    threads = [threading.Thread(target=click, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    yield Result(f"{len(times)} clicks of 40 people, p95", find_percentile(times, 0.95), 1.0, "s")


def sign_everybody_in(
    installation: Installation, tenant_id: UUID, settings: Settings
) -> tuple[dict[str, str], dict[str, str]]:
    """Return a cookie and an access token of one person of each role."""
    now, cookies, tokens = datetime.now(UTC), {}, {}
    sessions = Sessions(settings.api_url, SessionFile(settings.dashboard_sessions))
    with installation.store.begin_session(tenant_id) as db:
        staff = list(db.scalars(select(Staff).where(Staff.tenant_id == tenant_id).order_by(Staff.id)))
    for role in PAGES:
        person = next(person for person in staff if role in person.roles)
        with installation.work(Actor(tenant_id), now) as work:
            record_training(work, Scope.ALL, person.id, "HIPAA", now.date())  # without one, nothing is shown
        with installation.store.begin_system_session() as db:
            accept = update(Membership).where(Membership.account_id == person.account_id).values(accepted_at=now)
            db.execute(accept)
        for kept in (False, True):
            found = sign_in.start_session(installation, person.account_id, tenant_id, now, None).tokens
            assert found is not None
            if kept:
                document = {"access_token": found.access, "refresh_token": found.refresh, "expires_in": 300}
                cookies[role], _ = sessions.open(document)
            else:
                tokens[role] = found.access
    return cookies, tokens


@contextmanager
def open_scene(appointments: int, report: Callable[[str], None]) -> Iterator[Scene]:
    with make_folder(disk=False) as folder, open_temporary_installation(folder) as installation:
        os.environ["CASELOAD_PORT"] = str(find_free_port())
        os.environ["CASELOAD_DASHBOARDS_PORT"] = str(find_free_port())
        os.environ["CASELOAD_PUBLIC_URL"] = f"http://127.0.0.1:{os.environ['CASELOAD_DASHBOARDS_PORT']}"
        settings = Settings()
        report(f"Creating {appointments:,} appointments")
        practice = create_recorded_practice(installation, appointments)
        report("Computing the metrics")
        refresh_practice(
            installation.store,
            installation.settings.warehouse,
            practice.id,
            datetime.now(UTC),
            "duckdb",
            lambda _: None,
        )
        api, pages = ApiProcess(settings), DashboardsProcess(settings)
        api.start()
        pages.start()
        try:
            while not pages.is_ready() or httpx2.get(f"{settings.api_url}/health/ready").status_code != 200:
                time.sleep(0.2)
            cookies, tokens = sign_everybody_in(installation, practice.id, settings)
            assert pages.process is not None
            yield Scene(pages.url, settings.api_url, pages.process.pid, cookies, tokens)
        finally:
            pages.stop()
            api.stop()


def show(results: list[Result]) -> None:
    table = Table("Figure", "Measured", "Bar", "")
    for result in results:
        measured = f"{result.value:.3f} {result.unit}"
        table.add_row(result.name, measured, f"{result.bar:g} {result.unit}", "" if result.is_met else "over")
    Console().print(table)
    print(f"Load of the machine: {os.getloadavg()[0]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--appointments", type=int, default=APPOINTMENTS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results: list[Result] = []
    with open_scene(arguments.appointments, lambda text: print(text, file=sys.stderr)) as scene:
        for measure in (measure_pages, measure_many, measure_clicks):
            for result in measure(scene):
                print(f"{result.name}: {result.value:.3f} {result.unit}", file=sys.stderr)
                results.append(result)
    if arguments.json:
        print(json.dumps([vars(result) | {"met": result.is_met} for result in results], indent=2))
    else:
        show(results)


if __name__ == "__main__":
    main()
