"""Coverage-guided fuzzing of the reader. It needs an environment of its own: `make fuzz-edi`.

    python -m bench.edi_atheris [SECONDS] [FOLDER for its findings]

It runs in rounds, each in a fresh process that starts from the inputs found before: the fuzzer stores the result of
every comparison that it observes, which are whole columns here, so its memory grows although the reader's does not.
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
MAX_BYTES = 4096


def read_input(data: bytes) -> None:
    remittance = edi.read(data)
    assert remittance.files.height >= 1
    with suppress(edi.CannotWrite):  # text outside interchanges may contain the default delimiters
        edi.write(remittance)


def main() -> None:
    if sys.argv[1:2] == ["round"]:
        fuzz(*sys.argv[2:])
        return
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    findings = sys.argv[2] if len(sys.argv) > 2 else "."
    with tempfile.TemporaryDirectory() as corpus:
        write_seed_inputs(Path(corpus))
        for _ in range(ROUNDS):
            command = [sys.executable, "-m", "bench.edi_atheris", "round", str(seconds // ROUNDS), findings, corpus]
            subprocess.run(command, check=True)


def write_seed_inputs(corpus: Path) -> None:
    for number, kind in enumerate(synthetic.KINDS):
        (corpus / kind).write_bytes(synthetic.generate(synthetic.Plan(claims=1, kinds=(kind,)), number).data)
    for number, name in enumerate(synthetic.CORRUPTIONS):
        data = synthetic.corrupt(name, synthetic.generate(synthetic.Plan(claims=1), number)).data
        if len(data) < MAX_BYTES:
            (corpus / f"corrupted{number}").write_bytes(data)


def fuzz(seconds: str, findings: str, corpus: str) -> None:
    limits = [f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10", f"-max_len={MAX_BYTES}"]
    atheris.Setup([sys.argv[0], corpus, f"-artifact_prefix={findings}/", "-print_final_stats=1", *limits], read_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
