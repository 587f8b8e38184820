"""The reader under a fuzzer that watches which code runs. In an environment of its own: `make fuzz-edi`.

python -m bench.edi_atheris [SECONDS] [FOLDER for what it finds]
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["edi"]):
    import edi
    from edi import madeup


def one(data: bytes) -> None:
    remittance = edi.read(data)
    assert remittance.files.height >= 1
    with suppress(edi.CannotWrite):  # what stands outside interchanges may hold the usual delimiters
        edi.write(remittance)


def main() -> None:
    seconds = sys.argv[1] if len(sys.argv) > 1 else "600"
    found = sys.argv[2] if len(sys.argv) > 2 else "."
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(madeup.KINDS):
            data = madeup.make_up(madeup.Plan(claims=1, kinds=(kind,)), number).data
            (Path(folder) / kind).write_bytes(data)
        for number, name in enumerate(madeup.BREAKS):
            data = madeup.broken(name, madeup.make_up(madeup.Plan(claims=1), number)).data
            if len(data) < 4096:
                (Path(folder) / f"broken{number}").write_bytes(data)
        limits = [f"-max_total_time={seconds}", "-rss_limit_mb=1024", "-timeout=10", "-max_len=4096"]
        atheris.Setup([sys.argv[0], folder, f"-artifact_prefix={found}/", "-print_final_stats=1", *limits], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
