"""The page that the browser loads first: Streamlit's own, with our name, style and watch, and its security policy."""

import base64
import hashlib
import re
from pathlib import Path

import streamlit

REPLACEMENTS = (
    ("<title>Streamlit</title>", "<title>Caseload</title>"),
    ("<head>", '<head><script src="/assets/start.js"></script>'),
    ("./favicon.png", "/assets/mark.svg"),
    (
        "</head>",
        '<link rel="stylesheet" href="/assets/caseload.css"><script src="/assets/watch.js" defer></script></head>',
    ),
    (
        '<div id="root"></div>',
        '<div id="root"><div class="cl-splash"><img src="/assets/mark.svg" alt=""><p>Caseload</p></div></div>',
    ),
)
NO_SCRIPT = "<noscript><p>Caseload needs JavaScript. Switch it on and load this page again.</p></noscript>"


def build_shell() -> str:
    """Return the HTML of every page. Fails if a release of Streamlit has changed what is replaced."""
    html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    for old, new in REPLACEMENTS:
        if old not in html:
            raise AssertionError(f"Streamlit's page no longer contains {old}")
        html = html.replace(old, new)
    html = re.sub(r'\s*<link rel="service-desc"[^>]*>', "", html)
    return re.sub(r"<noscript>.*?</noscript>", NO_SCRIPT, html, flags=re.DOTALL)


def build_policy(shell: str, public_url: str) -> str:
    """Return the content security policy: our own files and the inline scripts of the shell, no other host."""
    scripts = re.findall(r"<script>(.*?)</script>", shell, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in scripts
    )
    return (
        f"default-src 'self'; script-src 'self' blob: 'wasm-unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' {public_url.replace('http', 'ws', 1)}; "
        "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    )
