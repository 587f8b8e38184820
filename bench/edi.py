"""Our reader of the 835 against others, all on the same made-up files in one run: claims a second and memory.

    python -m bench.edi --peers PYTHON [--rounds N]

PYTHON is that of an environment with oxedi, edi-835-parser and pyx12 (`make bench-edi` makes it). Ours gives all
frames, the three balances and all problems. Readers take turns, each time in a fresh process, and the best of the
rounds counts. A peer that is slow reads fewer claims of the same kind; the table says so. Most claims are simply
paid, as with a practice; one case has as many reversals, denials and the rest.

Other processes on the machine make the figures smaller, and not for all alike. So beside the time stands what the
processors spent (ours may use both), and the ratio of that.
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
USUAL = ("paid",) * 14 + ("denied", "denied", "secondary", "reversed", "of_the_claim", "interest")
PER_PAYMENT = 5_000  # claims, so that no transaction is above the limit
SLOW = {"pyx12": 500, "edi-835-parser": 10_000}  # claims at most
TARGETS = {"oxedi": 1.5, "edi-835-parser": 15, "pyx12": 250}
MEMORY = 300  # MB at 10,000 claims


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        print(json.dumps(measure(int(asked.alone[0]), asked.alone[1], asked.alone[2:])))
        return
    with tempfile.TemporaryDirectory() as folder:
        cases = make_files(Path(folder))
        for name, (claims, files, repeats) in cases.items():
            print(told(name, claims, compare(claims, files, repeats, asked.peers, asked.rounds, cases)), flush=True)


def make_files(folder: Path) -> dict[str, tuple[int, list[str], int]]:
    """Claims, files and repeats of each case; the small case for slow peers is the first."""

    def write(name: str, claims: int, seed: int, kinds: tuple[str, ...] = USUAL) -> str:
        plan = synthetic.Plan(claims=min(claims, PER_PAYMENT), payments=max(claims // PER_PAYMENT, 1), kinds=kinds)
        (folder / name).write_bytes(synthetic.make_up(plan, seed).data)
        return str(folder / name)

    return {
        "500 claims": (500, [write("slow.835", 500, 1)], 1),
        "one claim": (1, [write("one.835", 1, 2)], 50),
        "1,000 files of 5 claims": (5_000, [write(f"small{n}.835", 5, n) for n in range(1_000)], 3),
        "10,000 claims": (10_000, [write("10k.835", 10_000, 3)], 5),
        "10,000 claims, every kind alike": (10_000, [write("kinds.835", 10_000, 5, synthetic.KINDS)], 5),
        "100,000 claims": (100_000, [write("100k.835", 100_000, 4)], 2),
    }


def compare(
    claims: int, files: list[str], repeats: int, peers: str, rounds: int, cases: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    commands = {"ours": (claims, [sys.executable, "-m", "bench.edi", "--alone", str(repeats), "together", *files])}
    if len(files) > 1:
        commands["ours, one by one"] = (
            claims,
            [sys.executable, "-m", "bench.edi", "--alone", "1", "one by one", *files],
        )
    for name in PEERS:
        its_claims, its_files, times = claims, files, repeats
        if claims > SLOW.get(name, claims):
            its_claims, its_files, times = next(case for case in cases.values() if case[0] == SLOW[name])
        commands[name] = (its_claims, [peers, "bench/edi_peers.py", name, str(times), *its_files])
    found: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for name, (its_claims, command) in commands.items():
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                found[name] = {"failed": ran.stderr.strip().splitlines()[-1][:70]}
                continue
            one = json.loads(ran.stdout) | {"claims": its_claims}
            before = found.get(name, one)
            found[name] = one | {key: min(one[key], before[key]) for key in ("seconds", "cpu")}
    return found


def measure(repeats: int, how: str, paths: list[str]) -> dict[str, Any]:
    files = [(path, Path(path).read_bytes()) for path in paths]
    best, cpu = float("inf"), float("inf")
    for _ in range(repeats):
        began, spent = time.perf_counter(), time.process_time()
        read = [edi.read_many(files)] if how == "together" else [edi.read(data) for _, data in files]
        best, cpu = min(best, time.perf_counter() - began), min(cpu, time.process_time() - spent)
        assert all(one.problems.is_empty() and one.payments["balanced_throughout"].all() for one in read)
        del read  # as the peers let go of theirs
    return {"seconds": best, "cpu": cpu, "memory": most_memory()}


def most_memory() -> int:
    """MB at most; what `resource` says begins with that of the process which started this one."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def told(case: str, claims: int, found: dict[str, dict[str, Any]]) -> str:
    ours, our_cpu = (found["ours"]["claims"] / found["ours"][key] for key in ("seconds", "cpu"))
    lines = [f"{case} (load {os.getloadavg()[0]:.1f})"]
    for name, one in found.items():
        if "failed" in one:
            lines.append(f"  {name:18} cannot read it: {one['failed']}")
            continue
        rate = one["claims"] / one["seconds"]
        took = (
            f"{one['seconds'] * 1000:>10,.2f} ms, {one['cpu'] * 1000:>10,.2f} ms of processors, {one['memory']:>6,} MB"
        )
        words = f"  {name:18} {rate:>11,.0f} claims/s {took}"
        if not name.startswith("ours"):
            target = f" (target {TARGETS[name]} x)" if name in TARGETS and claims >= 10_000 else ""
            words += f"; ours {ours / rate:,.2f} x, {our_cpu / one['claims'] * one['cpu']:,.2f} x by processors{target}"
        elif claims == 10_000:
            words += f" (at most {MEMORY})"
        if one["claims"] != claims:
            words += f", on {one['claims']:,} claims"
        lines.append(words)
    return "\n".join(lines)


if __name__ == "__main__":
    main()
