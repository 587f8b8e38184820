"""The server of the pages with a mistake on purpose, which the tests have to find: `python -m <this> no-gate`."""

import sys
from typing import Any

from dashboards import server, signed_in

KEPT: dict[str, Any] = {}


def share_answers() -> None:
    """Keep answers of the API for everybody, as a cache without the person in its key does."""
    load = signed_in.load

    def load_once(path: str, params: dict[str, Any] | None = None) -> Any:
        return KEPT.setdefault(path, None) or KEPT.update({path: load(path, params)}) or KEPT[path]

    signed_in.load = load_once


def open_gate() -> None:
    """Serve Streamlit without the gate before it."""
    build_parts = server.build_parts
    server.build_parts = lambda settings: build_parts(settings) | {"middleware": []}


MISTAKES = {"shared-cache": share_answers, "no-gate": open_gate}

if __name__ == "__main__":
    MISTAKES[sys.argv[1]]()
    server.main()
