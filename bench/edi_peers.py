"""Measurement of another 835 reader, in a process of its own that imports nothing of ours.

    python bench/edi_peers.py READER REPEATS FILE [FILE ...]

It prints wall time, processor time and memory as JSON. Each peer does what its documentation shows first: oxedi all its
tables, edi-835-parser its objects, pyx12 a validation, which our synthetic remittances have to pass.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[str, bytes], Any]


def make_oxedi() -> Read:
    import oxedi

    def read(_: str, data: bytes) -> Any:
        result = oxedi.parse(data)
        return result.tables, result.diagnostics

    return read


def make_edi_835_parser() -> Read:
    import edi_835_parser

    return lambda path, _: edi_835_parser.parse(path)


def make_pyx12() -> Read:
    import pyx12.params
    import pyx12.x12n_document

    params = pyx12.params.params()

    def read(path: str, _: bytes) -> Any:
        if not pyx12.x12n_document.x12n_document(params, path, None, None, None):
            raise SystemExit("pyx12 rejects a synthetic remittance.")

    return read


def make_split() -> Read:
    return lambda _, data: [segment.split("*") for segment in data.decode().split("~")]


READERS = {
    "oxedi": make_oxedi,
    "edi-835-parser": make_edi_835_parser,
    "pyx12": make_pyx12,
    "str.split": make_split,
}


def main() -> None:
    name, repeats, *paths = sys.argv[1:]
    read = READERS[name]()
    files = [(path, Path(path).read_bytes()) for path in paths]
    best, cpu = float("inf"), float("inf")
    for _ in range(int(repeats)):
        start, cpu_start = time.perf_counter(), time.process_time()
        for path, data in files:
            read(path, data)
        best, cpu = min(best, time.perf_counter() - start), min(cpu, time.process_time() - cpu_start)
    memory = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) // 1024
    print(json.dumps({"seconds": best, "cpu": cpu, "memory": memory}))


if __name__ == "__main__":
    main()
