"""The reader under a fuzzer that watches which code runs. In an environment of its own: `make fuzz-edi`.

    python -m bench.edi_atheris [SECONDS] [FOLDER for what it finds]

It goes in rounds, each in a fresh process that begins with what the ones before have found: the fuzzer keeps the result
of every comparison that it watches, which are whole columns here. So its memory grows where the reader's does not.
"""

import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edi"]):
    import edi
    from edi import synthetic

ROUNDS = 5
LONGEST = 4096  # bytes


def one(data: bytes) -> None:
    remittance = edi.read(data)
    assert remittance.files.height >= 1
    with suppress(edi.CannotWrite):  # what stands outside interchanges may hold the usual delimiters
        edi.write(remittance)


def main() -> None:
    if sys.argv[1:2] == ["round"]:
        fuzz(*sys.argv[2:])
        return
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    found = sys.argv[2] if len(sys.argv) > 2 else "."
    with tempfile.TemporaryDirectory() as corpus:
        write_beginnings(Path(corpus))
        for _ in range(ROUNDS):
            command = [sys.executable, "-m", "bench.edi_atheris", "round", str(seconds // ROUNDS), found, corpus]
            subprocess.run(command, check=True)


def write_beginnings(corpus: Path) -> None:
    for number, kind in enumerate(synthetic.KINDS):
        (corpus / kind).write_bytes(synthetic.make_up(synthetic.Plan(claims=1, kinds=(kind,)), number).data)
    for number, name in enumerate(synthetic.BREAKS):
        data = synthetic.broken(name, synthetic.make_up(synthetic.Plan(claims=1), number)).data
        if len(data) < LONGEST:
            (corpus / f"broken{number}").write_bytes(data)


def fuzz(seconds: str, found: str, corpus: str) -> None:
    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10", f"-max_len={LONGEST}"]
    atheris.Setup([sys.argv[0], corpus, f"-artifact_prefix={found}/", "-print_final_stats=1", *limits], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
