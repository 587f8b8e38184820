"""What a command imports before it runs: help is shown without the database, the API and the data libraries."""

import json
import subprocess
import sys

import pytest

SLOW = {
    *("alembic", "argon2", "cryptography", "email_validator", "fastapi", "polars", "psycopg", "pydantic_settings"),
    *("markdown_it", "pyotp", "sqlalchemy", "structlog", "typst", "urllib.request", "uvicorn", "zxcvbn"),
    *("api", "edi", "ingest", "practice.people", "practice.security.work", "practice.payroll"),
}
SHOW_HELP = """
import json, sys
from caseload.console import run_command
from caseload.main import app
code = run_command(app, json.loads(sys.argv[1]))
sys.stderr.write(json.dumps([code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("command", ["", "pay", "import", "export", "demo", "keys rotate", "settings set", "era parse"])
def test_help_imports_nothing_slow(command: str) -> None:
    arguments = json.dumps([*command.split(), "--help"])
    process = subprocess.run([sys.executable, "-c", SHOW_HELP, arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(process.stderr)
    assert code == 0
    assert "Usage" in process.stdout
    assert SLOW & set(modules) == set()
    assert "pydantic" not in modules or " " in command
