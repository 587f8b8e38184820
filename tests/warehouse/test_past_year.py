"""The past stays while every service of a practice is used at random. `bench.past_year` does the same for a year."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from practice.security.installation import Installation
from tests.support.oracles.kept_results import KeptResult, keep_result, list_moved
from tests.support.oracles.past_differences import Comparison, Difference
from tests.support.oracles.record_changes import RecordChange, load_changes
from tests.support.simulation.practice import SimulatedPractice
from tests.support.simulation.year import begin_practice, choose_instants, run

SEED, DAYS, INSTANTS = 5, 21, 3


@dataclass
class Weeks:
    """Three simulated weeks, and the results that were kept in them."""

    installation: Installation
    folder: Path
    sim: SimulatedPractice
    results: list[KeptResult]
    changes: list[RecordChange]

    def list_differences(self, changes: list[RecordChange]) -> Iterator[Difference]:
        for former, later in pairwise(self.results):
            with former.open() as before, later.open() as after:
                yield from Comparison(before, after, changes).list_differences()


@pytest.fixture(scope="module")
def weeks(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Weeks:
    folder = tmp_path_factory.mktemp("weeks")
    sim = begin_practice(installation, folder / "bundle", SEED, staff_count=2, client_count=5)
    instants = run(sim, DAYS, choose_instants(sim, DAYS, INSTANTS), pace=0.2)
    results = [keep_result(installation, folder, sim.tenant_id, instant) for instant in instants]
    return Weeks(installation, folder, sim, results, load_changes(installation, sim.tenant_id, sim.now))


def test_a_rebuild_equals_what_a_refresh_published(weeks: Weeks) -> None:
    assert len(weeks.results) == INSTANTS
    count, moved = list_moved(weeks.installation, weeks.folder, weeks.results[1])
    assert count > 5_000
    assert moved == []


def test_a_changed_record_explains_each_difference_of_a_finished_period(weeks: Weeks) -> None:
    differences = list(weeks.list_differences(weeks.changes))
    assert [difference for difference in differences if difference.unexplained] == []
    by_changes = [difference for difference in differences if difference.kinds != {"time that has passed"}]
    without = [difference for difference in weeks.list_differences([]) if difference.unexplained]
    assert len(without) == len(by_changes) > 0


def test_a_value_that_moves_is_found(weeks: Weeks) -> None:
    kept = weeks.results[0]
    overwrite = text("update charges set service_date = service_date - 40 where created_at <= :as_of")
    with weeks.sim.work() as work:  # no service changes a date, so nothing keeps the former one
        assert work.db.execute(overwrite, {"as_of": kept.as_of}).rowcount
    _, moved = list_moved(weeks.installation, weeks.folder, kept)
    restore = text("update charges set service_date = service_date + 40 where created_at <= :as_of")
    with weeks.sim.work() as work:
        work.db.execute(restore, {"as_of": kept.as_of})
    assert {key.metric_key for key, _, _ in moved} >= {"collection_rate"}
