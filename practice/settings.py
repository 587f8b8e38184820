"""The settings of an installation, read from the environment: locations, secrets and limits."""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url

from practice.errors import ConfigurationProblem
from practice.store.embedded import default_data_dir

PLACEHOLDERS = {
    "",
    "admin",
    "caseload",
    "change-me",
    "changeme",
    "changethis",
    "password",
    "postgres",
    "secret",
    "test",
}
RETIRED_NAMES = {"CASELOAD_ANCHOR_DIR": "CASELOAD_AUDIT_ANCHOR_DIR"}
"""Environment variables that were renamed. To ignore one silently would, for example, put the anchors elsewhere."""


def default_key_file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "caseload" / "master.key"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CASELOAD_", extra="ignore", frozen=False, hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Field(default_factory=default_data_dir)
    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    database_owner_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    database_warehouse_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_WAREHOUSE_URL")
    database_dagster_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_DAGSTER_URL")
    master_key: SecretStr | None = None
    master_key_file: Path = Field(default_factory=default_key_file)
    audit_anchor_dir: Path | None = None
    outbox_dir: Path | None = None
    public_url: str = ""  # of the pages, and of links to them; by default at `dashboards_port`
    api_url: str = ""  # as the pages reach the API; by default at `port`
    dashboards_host: str = "127.0.0.1"
    dashboards_port: int = 0  # by default the second after `port`
    dagster_host: str = "127.0.0.1"
    dagster_port: int = 0  # by default the one after `port`
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    requests_per_minute: int = 100
    practice_requests_per_minute: int = 1000
    sign_ins_per_minute: int = 60

    @model_validator(mode="after")
    def fill_addresses(self) -> Self:
        """Derive the addresses of the API, of Dagster's page and of the pages from the port, unless they are set."""
        self.dagster_port = self.dagster_port or self.port + 1
        self.dashboards_port = self.dashboards_port or self.port + 2
        self.api_url = self.api_url or f"http://127.0.0.1:{self.port}"
        self.public_url = self.public_url or f"http://127.0.0.1:{self.dashboards_port}"
        return self

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def anchors(self) -> Path:
        """Return the folder of the audit anchors: heads of the audit chains stored outside the database."""
        return self.audit_anchor_dir or self.data_dir / "anchors"

    @property
    def outbox(self) -> Path:
        return self.outbox_dir or self.data_dir / "outbox"

    @property
    def warehouse(self) -> Path:
        """Return the folder of the warehouse files, one folder per practice."""
        return self.data_dir / "warehouse"

    @property
    def dagster_url(self) -> str:
        """Return the address of Dagster's page, which is reached from its own machine only."""
        return f"http://127.0.0.1:{self.dagster_port}/dagster"

    @property
    def dashboard_sessions(self) -> Path:
        """Return the file of the sessions of browsers, sealed by their cookies."""
        return self.data_dir / "dashboards" / "sessions.db"

    @property
    def exports(self) -> Path:
        """Return the folder of the encrypted exports, each until it expires."""
        return self.data_dir / "exports"

    def check(self) -> None:
        """Raise ConfigurationProblem for unsafe settings. Development tolerates more than production."""
        problems = [
            f"{name} was renamed and has no effect. Rename it to {new_name}."
            for name, new_name in RETIRED_NAMES.items()
            if name in os.environ
        ]
        for name, url in (
            ("DATABASE_URL", self.database_url),
            ("DATABASE_OWNER_URL", self.database_owner_url),
            ("DATABASE_WAREHOUSE_URL", self.database_warehouse_url),
            ("DATABASE_DAGSTER_URL", self.database_dagster_url),
        ):
            if url is None:
                continue
            try:
                password = make_url(url.get_secret_value()).password
            except Exception:
                problems.append(f"{name} is not a database URL. Write it as postgresql://user@host/database.")
                continue
            if self.is_production and str(password or "").lower() in PLACEHOLDERS:
                problems.append(f"{name} has no password or a placeholder password. Set a real one.")
        if self.is_production and self.master_key is None and not self.master_key_file.exists():
            problems.append(
                "The master key is missing. Create one with `caseload keys create-master` and set "
                "CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY."
            )
        if problems:
            raise ConfigurationProblem(" ".join(problems))
