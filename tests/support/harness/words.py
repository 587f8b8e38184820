"""The share of functions and of function docstrings that begin with a verb, per package.

    python -m tests.support.harness.words

Dunder methods, tests and released migrations are left out. Every name and docstring is judged by one list, verbs.txt.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
PACKAGES = ("api", "bench", "caseload", "edi", "ingest", "orchestration", "practice")
VERBS = frozenset(Path(__file__).with_name("verbs.txt").read_text().split())


class Share(NamedTuple):
    """Functions and docstrings that begin with a verb, of all there are."""

    functions: int
    named: int
    docstrings: int
    described: int

    @property
    def named_percent(self) -> float:
        return 100 * self.named / max(1, self.functions)

    @property
    def described_percent(self) -> float:
        return 100 * self.described / max(1, self.docstrings)


def measure_package(package: str) -> Share:
    """Return the shares of one top-level package."""
    functions = list(read_functions(package))
    docstrings = [text for function in functions if (text := ast.get_docstring(function))]
    return Share(
        len(functions),
        sum(begins_with_verb(function.name.lstrip("_").partition("_")[0]) for function in functions),
        len(docstrings),
        sum(begins_with_verb(text.split()[0].strip("`'\",.:;")) for text in docstrings),
    )


def total_of(shares: list[Share]) -> Share:
    """Return the shares of all packages together."""
    return Share(*(sum(numbers) for numbers in zip(*shares, strict=True)))


def read_functions(package: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method of a package but dunder methods and migrations."""
    for file in sorted((ROOT / package).rglob("*.py")):
        if "migrations" not in file.parts:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                    yield node


def begins_with_verb(word: str) -> bool:
    """Return whether the word is on the list of verbs."""
    return word.lower() in VERBS


def main() -> None:
    shares = [measure_package(package) for package in PACKAGES]
    print(f"{'':<10}{'functions':>10}{'verb':>8}{'docstrings':>12}{'verb':>8}")  # noqa: T201
    for name, share in zip((*PACKAGES, "all"), (*shares, total_of(shares)), strict=True):
        print(  # noqa: T201
            f"{name:<10}{share.functions:>10}{share.named_percent:>7.1f}%"
            f"{share.docstrings:>12}{share.described_percent:>7.1f}%"
        )


if __name__ == "__main__":
    main()
