"""What axe-core finds on a page: rules that are broken, with the elements. Minor findings are left out."""

from pathlib import Path
from typing import Any, NamedTuple

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RUN = "() => axe.run(document, {resultTypes: ['violations']})"


class Broken(NamedTuple):
    """A broken rule, and the element that breaks it."""

    impact: str
    rule: str
    element: str


def list_broken_rules(page: Page) -> list[Broken]:
    """Return the serious, critical and moderate findings of the page as it stands."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(RUN)
    return [
        Broken(violation["impact"], violation["id"], node["html"][:200])
        for violation in found["violations"]
        if violation["impact"] in ("moderate", "serious", "critical")
        for node in violation["nodes"]
    ]
