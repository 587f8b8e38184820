"""Benchmark of our 835 reader against others on the same synthetic files: claims per second and memory.

    python -m bench.edi --peers PYTHON [--rounds N]

PYTHON belongs to an environment with oxedi, edi-835-parser and pyx12 (`make bench-edi` creates it). Our reader computes
all frames, the three balances and all problems. Readers take turns, each time in a fresh process, and the best of the
rounds counts. A slow peer reads fewer claims of the same kind, which the table states. Most claims are simply paid, as
in a practice; in one case every kind (reversals, denials and so on) is equally frequent.

Other processes on the machine slow the readers down, and not all equally. So the table also has the processor time
(our reader may use several processors) and its ratio.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import edi
from edi import synthetic

PEERS = ("oxedi", "edi-835-parser", "pyx12", "str.split")
TYPICAL_KINDS = ("paid",) * 14 + ("denied", "denied", "secondary", "reversed", "claim_level", "interest")
CLAIMS_PER_PAYMENT = 5_000  # so that no transaction exceeds the limit
MAX_CLAIMS = {"pyx12": 500, "edi-835-parser": 10_000}  # for slow peers
TARGETS = {"oxedi": 1.5, "edi-835-parser": 15, "pyx12": 250}
MAX_MEMORY = 300  # MB at 10,000 claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        repeats, mode, *paths = arguments.measure
        print(json.dumps(measure(int(repeats), mode, paths)))
        return
    with tempfile.TemporaryDirectory() as folder:
        cases = make_files(Path(folder))
        for name, (claims, files, repeats) in cases.items():
            results = compare(claims, files, repeats, arguments.peers, arguments.rounds, cases)
            print(format_case(name, claims, results), flush=True)


def make_files(folder: Path) -> dict[str, tuple[int, list[str], int]]:
    """Return claims, files and repeats of each case; the first one is the small case for slow peers."""

    def write(name: str, claims: int, seed: int, kinds: tuple[str, ...] = TYPICAL_KINDS) -> str:
        plan = synthetic.Plan(
            claims=min(claims, CLAIMS_PER_PAYMENT), payments=max(claims // CLAIMS_PER_PAYMENT, 1), kinds=kinds
        )
        (folder / name).write_bytes(synthetic.generate(plan, seed).data)
        return str(folder / name)

    return {
        "500 claims": (500, [write("slow.835", 500, 1)], 1),
        "one claim": (1, [write("one.835", 1, 2)], 50),
        "1,000 files of 5 claims": (5_000, [write(f"small{n}.835", 5, n) for n in range(1_000)], 3),
        "10,000 claims": (10_000, [write("10k.835", 10_000, 3)], 5),
        "10,000 claims, all kinds equally": (10_000, [write("kinds.835", 10_000, 5, synthetic.KINDS)], 5),
        "100,000 claims": (100_000, [write("100k.835", 100_000, 4)], 2),
    }


def compare(
    claims: int, files: list[str], repeats: int, peers: str, rounds: int, cases: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Run all readers on the files of a case, and return the best result of each."""
    ours = [sys.executable, "-m", "bench.edi", "--measure"]
    commands = {"ours": (claims, [*ours, str(repeats), "together", *files])}
    if len(files) > 1:
        commands["ours, one by one"] = (claims, [*ours, "1", "one by one", *files])
    for name in PEERS:
        peer_claims, peer_files, peer_repeats = claims, files, repeats
        if claims > MAX_CLAIMS.get(name, claims):
            small_case = next(case for case in cases.values() if case[0] == MAX_CLAIMS[name])
            peer_claims, peer_files, peer_repeats = small_case
        commands[name] = (peer_claims, [peers, "bench/edi_peers.py", name, str(peer_repeats), *peer_files])
    results: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for name, (read_claims, command) in commands.items():
            process = subprocess.run(command, capture_output=True, text=True, check=False)
            if process.returncode:
                results[name] = {"failed": process.stderr.strip().splitlines()[-1][:70]}
                continue
            result = json.loads(process.stdout) | {"claims": read_claims}
            best = results.get(name, result)
            results[name] = result | {key: min(result[key], best[key]) for key in ("seconds", "cpu")}
    return results


def measure(repeats: int, mode: str, paths: list[str]) -> dict[str, Any]:
    """Return the best times of our reader and the peak memory of this process."""
    files = [(path, Path(path).read_bytes()) for path in paths]
    best, cpu = float("inf"), float("inf")
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        remittances = [edi.read_many(files)] if mode == "together" else [edi.read(data) for _, data in files]
        best, cpu = min(best, time.perf_counter() - start), min(cpu, time.process_time() - cpu_start)
        assert all(
            remittance.problems.is_empty() and remittance.payments["balanced_throughout"].all()
            for remittance in remittances
        )
        del remittances  # the peers release their results too
    return {"seconds": best, "cpu": cpu, "memory": read_peak_memory()}


def read_peak_memory() -> int:
    """Return the peak memory in MB; the value of `resource` would include the peak of the parent process."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def format_case(case: str, claims: int, results: dict[str, dict[str, Any]]) -> str:
    """Return the table of one case."""
    our_rate, our_cpu_rate = (results["ours"]["claims"] / results["ours"][key] for key in ("seconds", "cpu"))
    lines = [f"{case} (load {os.getloadavg()[0]:.1f})"]
    for name, result in results.items():
        if "failed" in result:
            lines.append(f"  {name:18} cannot read it: {result['failed']}")
            continue
        rate = result["claims"] / result["seconds"]
        milliseconds, cpu_milliseconds = result["seconds"] * 1000, result["cpu"] * 1000
        times = f"{milliseconds:>10,.2f} ms, {cpu_milliseconds:>10,.2f} ms CPU, {result['memory']:>6,} MB"
        line = f"  {name:18} {rate:>11,.0f} claims/s {times}"
        if not name.startswith("ours"):
            target = f" (target {TARGETS[name]} x)" if name in TARGETS and claims >= 10_000 else ""
            cpu_ratio = our_cpu_rate / result["claims"] * result["cpu"]
            line += f"; ours {our_rate / rate:,.2f} x, {cpu_ratio:,.2f} x by CPU{target}"
        elif claims == 10_000:
            line += f" (at most {MAX_MEMORY})"
        if result["claims"] != claims:
            line += f", on {result['claims']:,} claims"
        lines.append(line)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
