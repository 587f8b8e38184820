"""Proof that the past stays: a year in which every service of a practice is used at random.

    python -m bench.past_year [--seed N] [--days 365] [--instants 30] [--pace 1] [--list FILE]

At random instants the result of a refresh is kept. At the end a rebuild as of each of them has to be equal, cell for
cell, and every value of a finished period that two refreshes disagree about needs a record of that period that was
changed between them. `--list` writes each of those values with its record. Fails if a rebuild differs, if nothing
explains a difference, or if a service never succeeded.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from bench.installation import make_folder, open_temporary_installation
from practice.security.installation import Installation
from tests.support.oracles.kept_results import KeptResult, keep_result, list_moved
from tests.support.oracles.past_differences import Comparison, Difference
from tests.support.oracles.record_changes import RecordChange, load_changes
from tests.support.simulation.practice import SERVICES, SimulatedPractice
from tests.support.simulation.year import begin_practice, choose_instants, run

EXAMPLES = 3  # shown of each metric


def print_services(sim: SimulatedPractice) -> list[str]:
    """Print how often each service was tried and succeeded, and return those that never did."""
    print(f"{'service':34}{'tried':>8}{'succeeded':>11}  most often refused with")
    for name, tally in sorted(sim.tallies.items()):
        if SERVICES[name].counted:
            reason = next((text for text, _ in tally.refusals.most_common(1)), "")
            print(f"{name:34}{tally.tried:8,}{tally.succeeded:11,}  {reason[:80]}")
    tallies = [tally for name, tally in sim.tallies.items() if SERVICES[name].counted]
    print(f"{len(tallies)} services, {sum(tally.succeeded for tally in tallies):,} uses succeeded", flush=True)
    return [name for name, tally in sim.tallies.items() if SERVICES[name].counted and not tally.succeeded]


def compare_rebuilds(installation: Installation, root: Path, results: Sequence[KeptResult]) -> int:
    """Rebuild as of each instant, print what moved, and return how many values did."""
    total = moved_total = 0
    for kept in results:
        count, moved = list_moved(installation, root, kept)
        total, moved_total = total + count, moved_total + len(moved)
        metrics = Counter(key.metric_key for key, _, _ in moved)
        print(f"{kept.as_of.isoformat()}: {count:,} values, {len(moved):,} moved {dict(metrics) or ''}", flush=True)
        shown = Counter()
        for key, before, after in moved:
            shown[key.metric_key] += 1
            if shown[key.metric_key] <= EXAMPLES:
                print(f"    {key}: {before} became {after}")
    print(f"{len(results)} rebuilds, {total:,} values compared, {moved_total:,} moved", flush=True)
    return moved_total


def compare_refreshes(results: Sequence[KeptResult], changes: Sequence[RecordChange], file: TextIO | None) -> int:
    """Explain each value of a finished period that differs between two refreshes, and return how many nothing does."""
    kinds, total, unexplained = Counter(), 0, 0
    for former, later in pairwise(results):
        with former.open() as before, later.open() as after:
            differences = list(Comparison(before, after, changes).list_differences())
        total += len(differences)
        found = [difference for difference in differences if difference.unexplained]
        unexplained += len(found)
        kinds.update(kind for difference in differences for kind in difference.kinds)
        print(f"until {later.as_of.isoformat()}: {len(differences):,} differ, {len(found):,} unexplained", flush=True)
        print_unexplained(found)
        for difference in differences if file else ():
            record = "; ".join(difference.unexplained or difference.explanations)
            print(difference.key, difference.before, "->", difference.after, "by", record, file=file)
    print(f"{total:,} values of finished periods differ, {unexplained:,} unexplained")
    for kind, count in kinds.most_common():
        print(f"    {count:8,} by {kind}")
    return unexplained


def print_unexplained(differences: Sequence[Difference]) -> None:
    shown = Counter()
    for difference in differences:
        key = difference.key
        shown[key.metric_key] += 1
        if shown[key.metric_key] <= EXAMPLES:
            print(f"    {key}: {difference.before} became {difference.after}: {difference.unexplained[:EXAMPLES]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--instants", type=int, default=30)
    parser.add_argument("--pace", type=float, default=1.0, help="how often a day services are used, 1 by default")
    parser.add_argument(
        "--list", type=argparse.FileType("w"), help="write each difference with its record to this file"
    )
    options = parser.parse_args()
    with make_folder(disk=False) as folder, open_temporary_installation(folder) as installation:
        start, root = time.monotonic(), folder / "warehouse"
        sim = begin_practice(installation, folder / "bundle", options.seed)
        instants = choose_instants(sim, options.days, options.instants)
        results = []
        for instant in run(sim, options.days, instants, options.pace):
            results.append(keep_result(installation, root, sim.tenant_id, instant))
            print(f"kept the result as of {instant.isoformat()} ({time.monotonic() - start:.0f} s)", flush=True)
        unused = print_services(sim)
        print("appointments:", {row.status: row.count for row in sim.rows(STATUSES)})
        moved = compare_rebuilds(installation, root, results)
        changes = load_changes(installation, sim.tenant_id, sim.now)
        print(f"{len(changes):,} changes of records")
        unexplained = compare_refreshes(results, changes, options.list)
        print(f"{time.monotonic() - start:.0f} s")
    if unused:
        print(f"never succeeded: {', '.join(unused)}")
    raise SystemExit(bool(moved or unexplained or unused))


STATUSES = "select status, count(*) from appointments group by status order by status"

if __name__ == "__main__":
    main()
