"""The HTTP service against its control: throughput with one worker, latency at a fixed rate, cost of the walls.

    python -m bench.api [--disk] [--json] [--brief]

Product and control take turns of a second or two within one run, since whatever else the machine does would otherwise
fall on one of them. What is told is the median of the turns, so that one in which somebody else used the processors
does not decide; the worst stands beside it.
"""

import argparse
import json
import statistics
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.installation import LIMIT, Generator, Practice, folder, furnish, server, temporary_installation

PRODUCT, BARE, SET, WALLED = "/api/v1/staff/", "/control/bare/staff/", "/control/set/staff/", "/control/walled/staff/"
NAMES = {PRODUCT: "product", BARE: "control", SET: "practice set", WALLED: "walled"}
KINDS = {"reads": 0.0, "writes": 1.0, "80/20": 0.2}
RATE = 300
CONNECTIONS = 16


@dataclass
class Row:
    """One line of the answer. `better` says which way `target` limits `value`."""

    what: str
    value: float
    target: float | None
    better: str
    unit: str
    detail: str

    @property
    def kept(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "more" else self.value <= self.target


class Bench:
    def __init__(self, generator: Generator, port: int, workers: int, turn: float) -> None:
        self.generator = generator
        self.port = port
        self.workers = workers
        self.turn = turn

    def warm_up(self) -> None:
        """Statements prepared, pools filled, whatever is compiled at first use compiled."""
        for path in NAMES:
            for writes in (0.0, 1.0):
                self.load("closed", path, writes, 0.5, connections=CONNECTIONS)

    def load(self, mode: str, path: str, writes: float, seconds: float, **more: Any) -> dict[str, Any]:
        plan = {"mode": mode, "port": self.port, "path": path, "writes": writes, "seconds": seconds}
        return self.generator.run(**plan | more)

    def turns(self, mode: str, paths: tuple[str, ...], writes: float, rounds: int, **more: Any) -> dict[str, list[Any]]:
        """Each path in turn, and backwards the next time, so that a drift falls on all alike."""
        took: dict[str, list[Any]] = {path: [] for path in paths}
        for number in range(rounds):
            for path in paths if number % 2 == 0 else reversed(paths):
                took[path].append(self.load(mode, path, writes, self.turn, seed=number, **more))
        return took

    def throughput(self, kind: str, paths: tuple[str, ...], rounds: int) -> dict[str, list[float]]:
        took = self.turns("closed", paths, KINDS[kind], rounds, connections=CONNECTIONS)
        for path, turns in took.items():
            refuse_errors(f"{kind}, {NAMES[path]}", turns)
        return {path: [turn["rate"] for turn in turns] for path, turns in took.items()}

    def latency(self, kind: str, rounds: int) -> dict[str, dict[str, float]]:
        took = self.turns("open", (PRODUCT, BARE), KINDS[kind], rounds, rate=RATE)
        figures = {}
        for path, turns in took.items():
            refuse_errors(f"{kind} at {RATE}/s, {NAMES[path]}", turns)
            figures[path] = {share: statistics.median(turn[share] for turn in turns) for share in ("p50", "p95", "p99")}
            figures[path]["worst"] = max(turn["p99"] for turn in turns)
            figures[path] |= {"rate": statistics.mean(turn["rate"] for turn in turns)}
            figures[path] |= {"generator_behind": max(turn["generator_behind_p99"] for turn in turns)}
        return figures


def refuse_errors(what: str, turns: list[dict[str, Any]]) -> None:
    """A refused request is a fast one: figures with errors in them say nothing."""
    errors = [turn["errors"] for turn in turns if turn["errors"]]
    if errors:
        raise SystemExit(f"Requests went wrong ({what}): {errors}")


def throughput_rows(bench: Bench, rounds: int) -> list[Row]:
    rows = []
    workers = f"{bench.workers} worker{'s' if bench.workers > 1 else ''}"
    for kind in ("reads", "writes"):
        paths = (PRODUCT, WALLED, SET, BARE) if kind == "reads" and bench.workers == 1 else (PRODUCT, BARE)
        rates = bench.throughput(kind, paths, rounds)
        target = 0.6 if bench.workers == 1 else None
        rows.append(ratio_row(f"throughput, {kind}, {workers}", rates[PRODUCT], rates[BARE], target, "more"))
        if WALLED in rates:  # the time that a request takes, hence the other way round
            rows.append(ratio_row("row-level security, whole", rates[BARE], rates[WALLED], 1.15, "less"))
            rows.append(ratio_row("row-level security, policies alone", rates[SET], rates[WALLED], None, "less"))
    return rows


def ratio_row(what: str, above: list[float], below: list[float], target: float | None, better: str) -> Row:
    each = [a / b for a, b in zip(above, below, strict=True)]
    detail = f"{statistics.mean(above):.0f}/s : {statistics.mean(below):.0f}/s, turns {min(each):.2f}-{max(each):.2f}"
    return Row(what, statistics.median(each), target, better, "x", detail)


def latency_rows(bench: Bench, kind: str, rounds: int) -> list[Row]:
    figures = bench.latency(kind, rounds)
    product, control = figures[PRODUCT], figures[BARE]
    name = f"{kind} at {RATE}/s, {bench.workers} worker{'s' if bench.workers > 1 else ''}"
    reached = f"reached {product['rate']:.0f}/s, generator behind {product['generator_behind']:.1f} ms"
    worst = f"{product['worst']:.0f} and {control['worst']:.0f}"
    return [
        Row(f"{name}, p95", product["p95"], 25, "less", "ms", f"control {control['p95']:.1f}"),
        Row(
            f"{name}, p99",
            product["p99"],
            75,
            "less",
            "ms",
            f"control {control['p99']:.1f}; worst turns {worst}; {reached}",
        ),
        Row(f"{name}, p99 : control", product["p99"] / control["p99"], 3, "less", "x", f"p50 {product['p50']:.1f} ms"),
    ]


def measure(generator: Generator, port: int, workers: int, *, brief: bool) -> list[Row]:
    bench = Bench(generator, port, workers, turn=0.7 if brief else 1.0)
    bench.warm_up()
    rows = throughput_rows(bench, 5 if workers == 1 else 3)
    for kind in ("80/20",) if brief or workers > 1 else ("80/20", "reads", "writes"):
        rows += latency_rows(bench, kind, 5)
    return rows


def show(console: Console, rows: list[Row]) -> None:
    table = Table(title="The HTTP service against its control")
    for column in ("what", "measured", "target", "", "detail"):
        table.add_column(column, justify="right" if column in ("measured", "target") else "left")
    for row in rows:
        sign = "" if row.target is None else f"{'>=' if row.better == 'more' else '<='} {row.target:g} {row.unit}"
        verdict = {None: "", True: "[green]kept[/]", False: "[red]missed[/]"}[row.kept]
        table.add_row(row.what, f"{row.value:.2f} {row.unit}", sign, verdict, row.detail)
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--disk", action="store_true", help="the database on a disk, not in memory")
    parser.add_argument("--json", action="store_true", help="print a JSON document, not a table")
    parser.add_argument("--brief", action="store_true", help="one worker, short turns: for trying a change")
    asked = parser.parse_args()
    notes = Console(file=sys.stderr)
    with folder(disk=asked.disk) as where, temporary_installation(where) as installation:
        notes.print(f"Database in {where}. Rate limits raised to {LIMIT:,} requests a minute for this run.")
        practice: Practice = furnish(installation)
        rows: list[Row] = []
        with Generator(practice) as generator:
            for workers in (1,) if asked.brief else (1, 2):
                notes.print(f"Measuring with {workers} worker{'s' if workers > 1 else ''}")
                with server(where, practice, workers) as port:
                    rows += measure(generator, port, workers, brief=asked.brief)
    if asked.json:
        print(json.dumps([vars(row) | {"kept": row.kept} for row in rows], indent=2))
    else:
        show(Console(width=None if sys.stdout.isatty() else 160), rows)


if __name__ == "__main__":
    main()
