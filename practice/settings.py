"""The one settings class: where things are, and the secrets of this installation. Read from the environment."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
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


def default_key_file() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "caseload" / "master.key"


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="CASELOAD_", extra="ignore", frozen=False, hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Field(default_factory=default_data_dir)
    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    database_owner_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_OWNER_URL")
    master_key: SecretStr | None = None
    master_key_file: Path = Field(default_factory=default_key_file)
    anchor_dir: Path | None = None
    outbox_dir: Path | None = None
    public_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    requests_per_minute: int = 100
    practice_requests_per_minute: int = 1000
    sign_ins_per_minute: int = 60

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def anchors(self) -> Path:
        """Where the heads of the audit chains are written down outside the database."""
        return self.anchor_dir or self.data_dir / "anchors"

    @property
    def outbox(self) -> Path:
        return self.outbox_dir or self.data_dir / "outbox"

    def check(self) -> None:
        """Refuse what would be unsafe to run with. Development is forgiving, production is not."""
        problems = []
        for name, url in (("DATABASE_URL", self.database_url), ("DATABASE_OWNER_URL", self.database_owner_url)):
            if url is None:
                continue
            try:
                password = make_url(url.get_secret_value()).password
            except Exception:
                problems.append(f"{name} is not a database address (postgresql://user@host/database).")
                continue
            if self.production and str(password or "").lower() in PLACEHOLDERS:
                problems.append(f"{name} carries no password or a placeholder for one; give the login a real one.")
        if self.production and self.master_key is None and not self.master_key_file.exists():
            problems.append(
                "There is no master key; make one with `caseload keys new-master` and name it in "
                "CASELOAD_MASTER_KEY_FILE or CASELOAD_MASTER_KEY."
            )
        if problems:
            raise ConfigurationProblem(" ".join(problems))
