"""Rules that axe-core finds broken on a page. Minor ones are left out, and those of Streamlit's navigation."""

from pathlib import Path
from typing import Any, NamedTuple

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
OF_STREAMLIT = {"list", "listitem"}  # its navigation has sections and entries in one list
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
    broken = [
        Broken(violation["impact"], violation["id"], node["html"][:200])
        for violation in found["violations"]
        if violation["impact"] in ("moderate", "serious", "critical")
        for node in violation["nodes"]
    ]
    return [item for item in broken if not is_of_navigation(item)]


def is_of_navigation(broken: Broken) -> bool:
    return broken.rule in OF_STREAMLIT and ("stSidebarNav" in broken.element or "st-emotion" in broken.element)
