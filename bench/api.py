"""Benchmark of the HTTP service against its control: throughput, latency at a fixed rate, cost of tenant isolation.

    python -m bench.api [--disk] [--json] [--brief]

Product and control take turns of about a second within one run, so that other load on the machine affects both. The
result is the median of the turns, so that a single disturbed turn does not decide; the worst is shown beside it.
"""

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.installation import (
    REQUESTS_PER_MINUTE,
    LoadGenerator,
    MeasuredPractice,
    create_practice_to_measure,
    make_folder,
    open_temporary_installation,
    start_server,
)

PRODUCT, CONTROL, TENANT_SET, RLS = (
    "/api/v1/staff/",
    "/control/plain/staff/",
    "/control/tenant/staff/",
    "/control/rls/staff/",
)
NAMES = {PRODUCT: "product", CONTROL: "control", TENANT_SET: "tenant", RLS: "rls"}
KINDS = {"reads": 0.0, "writes": 1.0, "80/20": 0.2}
RATE = 300
CONNECTIONS = 16


@dataclass
class ResultRow:
    """One measurement. `better` is the direction in which `value` has to meet `target`: more or less."""

    name: str
    value: float
    target: float | None
    better: str
    unit: str
    detail: str

    @property
    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "more" else self.value <= self.target


class ApiBenchmark:
    """Measures product and control on one server."""

    def __init__(self, generator: LoadGenerator, port: int, workers: int, turn_seconds: float) -> None:
        self.generator = generator
        self.port = port
        self.workers = workers
        self.turn_seconds = turn_seconds

    def warm_up(self) -> None:
        """Send enough requests to prepare statements, fill pools and compile what is compiled on first use."""
        for path in NAMES:
            for writes in (0.0, 1.0):
                self.run_load("closed", path, writes, 0.5, connections=CONNECTIONS)

    def run_load(self, mode: str, path: str, writes: float, seconds: float, **options: Any) -> dict[str, Any]:
        plan = {"mode": mode, "port": self.port, "path": path, "writes": writes, "seconds": seconds}
        return self.generator.run(**plan | options)

    def run_turns(
        self, mode: str, paths: tuple[str, ...], writes: float, rounds: int, **options: Any
    ) -> dict[str, list[Any]]:
        """Run each path in turn, in reverse order every other round, so that a drift affects all equally."""
        results: dict[str, list[Any]] = {path: [] for path in paths}
        for number in range(rounds):
            for path in paths if number % 2 == 0 else reversed(paths):
                results[path].append(self.run_load(mode, path, writes, self.turn_seconds, seed=number, **options))
        return results

    def measure_throughput(self, kind: str, paths: tuple[str, ...], rounds: int) -> dict[str, list[float]]:
        """Return the requests per second of each turn, by path."""
        results = self.run_turns("closed", paths, KINDS[kind], rounds, connections=CONNECTIONS)
        for path, turns in results.items():
            raise_on_errors(f"{kind}, {NAMES[path]}", turns)
        return {path: [turn["rate"] for turn in turns] for path, turns in results.items()}

    def measure_latency(self, kind: str, rounds: int) -> dict[str, dict[str, float]]:
        """Return the latencies of product and control at the fixed rate."""
        results = self.run_turns("open", (PRODUCT, CONTROL), KINDS[kind], rounds, rate=RATE)
        latencies = {}
        for path, turns in results.items():
            raise_on_errors(f"{kind} at {RATE}/s, {NAMES[path]}", turns)
            latencies[path] = {
                share: statistics.median(turn[share] for turn in turns) for share in ("p50", "p95", "p99")
            }
            latencies[path]["worst"] = max(turn["p99"] for turn in turns)
            latencies[path] |= {"rate": statistics.mean(turn["rate"] for turn in turns)}
            latencies[path] |= {"generator_behind": max(turn["generator_behind_p99"] for turn in turns)}
        return latencies


def raise_on_errors(measurement: str, turns: list[dict[str, Any]]) -> None:
    """Raise SystemExit if a request failed: a refused request is a fast one, so results with errors mean nothing."""
    errors = [turn["errors"] for turn in turns if turn["errors"]]
    if errors:
        raise SystemExit(f"Requests failed ({measurement}): {errors}")


def measure_throughput_rows(benchmark: ApiBenchmark, rounds: int) -> list[ResultRow]:
    rows = []
    workers = f"{benchmark.workers} worker{'s' if benchmark.workers > 1 else ''}"
    for kind in ("reads", "writes"):
        paths = (
            (PRODUCT, RLS, TENANT_SET, CONTROL) if kind == "reads" and benchmark.workers == 1 else (PRODUCT, CONTROL)
        )
        rates = benchmark.measure_throughput(kind, paths, rounds)
        target = 0.6 if benchmark.workers == 1 else None
        rows.append(make_ratio_row(f"throughput, {kind}, {workers}", rates[PRODUCT], rates[CONTROL], target, "more"))
        if RLS in rates:  # a ratio of times, so rates are inverted
            rows.append(make_ratio_row("row-level security, in all", rates[CONTROL], rates[RLS], 1.15, "less"))
            rows.append(
                make_ratio_row("row-level security, policies only", rates[TENANT_SET], rates[RLS], None, "less")
            )
    return rows


def make_ratio_row(
    name: str, numerators: list[float], denominators: list[float], target: float | None, better: str
) -> ResultRow:
    """Return the median ratio of two series of turns."""
    ratios = [a / b for a, b in zip(numerators, denominators, strict=True)]
    rates = f"{statistics.mean(numerators):.0f}/s : {statistics.mean(denominators):.0f}/s"
    detail = f"{rates}, turns {min(ratios):.2f}-{max(ratios):.2f}"
    return ResultRow(name, statistics.median(ratios), target, better, "x", detail)


def measure_latency_rows(benchmark: ApiBenchmark, kind: str, rounds: int) -> list[ResultRow]:
    latencies = benchmark.measure_latency(kind, rounds)
    product, control = latencies[PRODUCT], latencies[CONTROL]
    name = f"{kind} at {RATE}/s, {benchmark.workers} worker{'s' if benchmark.workers > 1 else ''}"
    rate_detail = f"reached {product['rate']:.0f}/s, generator behind {product['generator_behind']:.1f} ms"
    worst = f"{product['worst']:.0f} and {control['worst']:.0f}"
    return [
        ResultRow(f"{name}, p95", product["p95"], 25, "less", "ms", f"control {control['p95']:.1f}"),
        ResultRow(
            f"{name}, p99",
            product["p99"],
            75,
            "less",
            "ms",
            f"control {control['p99']:.1f}; worst turns {worst}; {rate_detail}",
        ),
        ResultRow(
            f"{name}, p99 : control", product["p99"] / control["p99"], 3, "less", "x", f"p50 {product['p50']:.1f} ms"
        ),
    ]


def measure(generator: LoadGenerator, port: int, workers: int, *, brief: bool) -> list[ResultRow]:
    benchmark = ApiBenchmark(generator, port, workers, turn_seconds=0.7 if brief else 1.0)
    benchmark.warm_up()
    rows = measure_throughput_rows(benchmark, 5 if workers == 1 else 3)
    for kind in ("80/20",) if brief or workers > 1 else ("80/20", "reads", "writes"):
        rows += measure_latency_rows(benchmark, kind, 5)
    return rows


def print_rows(console: Console, rows: list[ResultRow]) -> None:
    table = Table(title="The HTTP service against its control")
    for column in ("measurement", "measured", "target", "", "detail"):
        table.add_column(column, justify="right" if column in ("measured", "target") else "left")
    for row in rows:
        target = "" if row.target is None else f"{'>=' if row.better == 'more' else '<='} {row.target:g} {row.unit}"
        verdict = {None: "", True: "[green]met[/]", False: "[red]missed[/]"}[row.is_met]
        table.add_row(row.name, f"{row.value:.2f} {row.unit}", target, verdict, row.detail)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="put the database on disk, not in memory")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--brief", action="store_true", help="one worker, short turns: for a quick check of a change")
    arguments = parser.parse_args()
    notes = Console(file=sys.stderr)
    with make_folder(disk=arguments.disk) as folder, open_temporary_installation(folder) as installation:
        notes.print(
            f"Database in {folder}. Rate limits raised to {REQUESTS_PER_MINUTE:,} requests a minute for this run."
        )
        practice: MeasuredPractice = create_practice_to_measure(installation)
        rows: list[ResultRow] = []
        with LoadGenerator(practice) as generator:
            for workers in (1,) if arguments.brief else (1, 2):
                notes.print(f"Measuring with {workers} worker{'s' if workers > 1 else ''}")
                with start_server(folder, practice, workers) as port:
                    rows += measure(generator, port, workers, brief=arguments.brief)
    if arguments.json:
        print(json.dumps([vars(row) | {"met": row.is_met} for row in rows], indent=2))
    else:
        print_rows(Console(width=None if sys.stdout.isatty() else 160), rows)


if __name__ == "__main__":
    main()
