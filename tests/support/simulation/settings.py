"""Uses of the services of the practice's settings: benchmarks, thresholds, windows, required hours, the time zone."""

from practice.metric_dictionary import METRICS
from practice.people.practices import change_practice
from practice.people.settings import change_setting
from practice.rule_settings import PARAMETERS
from tests.support.simulation.practice import NothingToDo, SimulatedPractice, service

BOUNDS = [f"{metric.key}_{bound}" for metric in METRICS.values() for bound in metric.bounds]
WINDOWS = sorted({metric.window for metric in METRICS.values() if metric.window})
REQUIRED_HOURS = ["supervision_hours_lpc", "supervision_hours_apc", "supervision_hours_lmsw"]
ZONES = ("America/New_York", "America/Chicago", "Pacific/Honolulu", "Europe/Berlin", "Australia/Lord_Howe")
MOST_WINDOW_CHANGES = 5  # each makes all later builds compute one more span of time


def change_any_setting(sim: SimulatedPractice, key: str, lowest: int, highest: int) -> None:
    parameter = PARAMETERS[key]
    value = max(parameter.minimum, min(parameter.maximum, sim.random.randint(lowest, highest)))
    with sim.work() as work:
        change_setting(work, key, value, sim.choose_day(0, 20))


@service("change a benchmark or threshold", 0.25)
def change_bound(sim: SimulatedPractice) -> None:
    key = sim.choose(*BOUNDS)
    default = PARAMETERS[key].default
    change_any_setting(sim, key, default // 2, default * 3 // 2 + 2)


@service("change a target amount", 0.04)
def change_target(sim: SimulatedPractice) -> None:
    change_any_setting(sim, "average_reimbursement_target_cents", 0, 20_000)


@service("change a window of a metric", 0.04)
def change_metric_window(sim: SimulatedPractice) -> None:
    changed = sim.rows("select distinct effective_on from rule_settings where key = any(:keys)", keys=WINDOWS)
    if len(changed) >= MOST_WINDOW_CHANGES:
        raise NothingToDo
    key = sim.choose(*WINDOWS)
    change_any_setting(sim, key, PARAMETERS[key].default // 2, PARAMETERS[key].default * 2)


@service("change required hours", 0.06)
def change_required_hours(sim: SimulatedPractice) -> None:
    change_any_setting(sim, sim.choose(*REQUIRED_HOURS), 0, 6)


@service("change the time zone", 0.02)
def change_time_zone(sim: SimulatedPractice) -> None:
    practice = sim.pick("select * from practices where id = :tenant_id")
    zone = sim.choose(*(zone for zone in ZONES if zone != practice.time_zone))
    with sim.work(sim.platform) as work:
        change_practice(work, practice.id, practice.version, {"time_zone": zone})
