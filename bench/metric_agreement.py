"""The agreement of the warehouse with an independent computation, for practices full of edge cases in eight time zones.

    python -m bench.metric_agreement [ZONE ...]

Prints the cells compared and those that differ, by zone and engine, and fails if any differ.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from bench.installation import make_folder, open_temporary_installation
from practice.security.installation import Installation
from tests.support.builders.edge_practices.draft import Span
from tests.support.builders.edge_practices.practice import LONG_SPANS, make_practice
from tests.support.drivers.metric_agreement import (
    Difference,
    compute_expected,
    compute_warehouse,
    import_edge_practice,
    list_differences,
)

ENGINES = ("duckdb", "postgres")
EXAMPLES = 3  # shown of each metric


def compare_span(installation: Installation, folder: Path, span: Span) -> int:
    """Compare all instants of a practice on both engines, and return the number of cells that differ."""
    edge = make_practice(span)
    practice = import_edge_practice(installation, folder / span.time_zone.replace("/", "-"), edge)
    cells, differences = Counter(), Counter()
    for name, as_of in edge.instants.items():
        start = time.monotonic()
        expected = compute_expected(edge, as_of)
        seconds = [f"{time.monotonic() - start:.0f} s"]
        for engine in ENGINES:
            start = time.monotonic()
            computed = compute_warehouse(installation, practice, edge, as_of, engine, folder / "builds")
            seconds.append(f"{engine} {time.monotonic() - start:.0f} s")
            different = list_differences(expected, computed)
            cells[engine] += len(expected.keys() | computed.keys())
            differences[engine] += len(different)
            print_examples(different, f"{name} {as_of.isoformat()} {engine}")
        print(f"  {name}: {', '.join(seconds)}", file=sys.stderr)
    for engine in ENGINES:
        print(
            f"{span.time_zone} {engine}: {cells[engine]:,} cells compared, {differences[engine]:,} differ", flush=True
        )
    return differences.total()


def print_examples(differences: list[Difference], label: str) -> None:
    by_metric: dict[str, list[Difference]] = {}
    for difference in differences:
        by_metric.setdefault(difference.key.metric_key, []).append(difference)
    for metric_key, found in by_metric.items():
        print(f"  {label}: {metric_key} differs in {len(found)} cells")
        for difference in found[:EXAMPLES]:
            print(f"    {difference.key[1:]}: expected {difference.expected}, computed {difference.computed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zones", nargs="*", help="the time zones to compare (default: all)")
    zones = parser.parse_args().zones
    with make_folder(disk=False) as folder, open_temporary_installation(folder) as installation:
        spans = [span for span in LONG_SPANS if not zones or span.time_zone in zones]
        differences = sum(compare_span(installation, folder, span) for span in spans)
    raise SystemExit(differences > 0)


if __name__ == "__main__":
    main()
