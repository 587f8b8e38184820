"""Rounds of random changes and passing time: is an incremental refresh equal to a full build, cell for cell?

    python -m bench.incremental_rounds [--seed N] [--rounds N] [--without RULE]

With --without, the rule that says what a change or the clock touches is taken out: the rounds must find a difference.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from bench.installation import make_folder, open_temporary_installation
from tests.support.drivers.incremental_rounds import run_rounds
from warehouse import continuation, touched

RULES = (touched.CHANGES, touched.CLOCK, touched.LINKS)


@contextmanager
def take_out(rule: str | None) -> Iterator[None]:
    """Take a rule out for the block."""
    rules = next((rules for rules in RULES if rule in rules), None)
    if rule is not None and rules is None:
        raise SystemExit(f"No such rule. Choose one of: {', '.join(name for rules in RULES for name in rules)}")
    kept = dict(rules or {})
    if rules is not None and rule is not None:
        del rules[rule]
    try:
        yield
    finally:
        if rules is not None:
            rules.clear()
            rules.update(kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--without", metavar="RULE", help="the rule to take out")
    arguments = parser.parse_args()
    continuation.MAX_SHARE = 2  # in a small practice a few changes touch most clients
    failed = 0
    with (
        make_folder(disk=False) as folder,
        open_temporary_installation(folder) as installation,
        take_out(arguments.without),
    ):
        for done in islice(run_rounds(installation, folder, arguments.seed, arguments.rounds), arguments.rounds):
            if done.differing:
                failed += 1
                print(
                    f"round {done.number} at {done.now.isoformat()}: {done.differing} after {done.changes}", flush=True
                )
                if arguments.without:
                    break
    print(f"{done.number} rounds with seed {arguments.seed}: {failed} with differences")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
