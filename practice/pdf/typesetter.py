"""The process that typesets one document: JSON on its standard input, PDF on its standard output, nothing on disk.

Run by its path and not imported, so that it loads nothing but the typesetter.
"""

import resource
import sys
from pathlib import Path

import typst

LAYOUT_IS_WRONG = 3  # an exit code of its own: not the document is at fault
LAYOUT = Path(__file__).with_name("layout.typ").read_bytes()


def set_limits(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit this process: the system ends it when it needs more. It can write no file, a core dump included."""
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def main() -> None:
    set_limits(*(int(argument) for argument in sys.argv[1:]))
    try:
        pdf = typst.compile(LAYOUT, sys_inputs={"document": sys.stdin.buffer.read().decode()})
    except typst.TypstError:
        sys.exit(LAYOUT_IS_WRONG)
    assert isinstance(pdf, bytes)  # noqa: S101 - a PDF is one file
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
