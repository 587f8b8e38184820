"""Sentences of the pages: words of people in them are drawn as they are, never as Markdown."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import dashboards

MARKDOWN = {"error", "warning", "info", "success", "caption", "markdown", "write", "toast", "title", "header"}
OWN_WORDS = {  # of our own, with nothing in them that people wrote
    ("data_quality.py", "markdown"),
    ("payroll.py", "markdown"),
    ("compliance.py", "markdown"),
    ("problems.py", "info"),
    ("problems.py", "warning"),
}


def test_only_our_own_words_are_markdown() -> None:
    found = set()
    for file in Path(dashboards.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            is_streamlit = isinstance(node.func.value, ast.Name) and node.func.value.id == "st"
            if is_streamlit and node.func.attr in MARKDOWN and not is_constant(node.args[0]):
                found.add((file.name, node.func.attr))
    assert found - OWN_WORDS == set()


def is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.IfExp):
        return is_constant(node.body) and is_constant(node.orelse)
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("kind", ["error", "warning", "info", "success", "caption"])
def test_links_and_pictures_of_others_stay_text(kind: str) -> None:
    words = "Costs $5 and $6, [Sign in](https://evil.example) ![p](https://evil.example/p.png) 5*6*7 `x` :red[y]"
    script = f"from dashboards.problems import say\nsay({kind!r}, {words!r})"
    app = AppTest.from_string(script, default_timeout=30).run()
    (element,) = app.get("caption") if kind == "caption" else app.get(kind)
    shown = element.value
    assert "](" not in shown.replace("\\\\", "")
    for character in "[]()*`$":
        assert shown.count(character) == shown.count(f"\\{character}")
