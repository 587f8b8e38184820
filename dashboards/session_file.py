"""The file of sessions: refresh tokens, each sealed by a key that only its browser's cookie yields."""

import os
import secrets
import sqlite3
import threading
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEPT_SECONDS = 24 * 3600  # since the last refresh; the API has ended every session long before


class SessionFile:
    """Sealed refresh tokens by session. Neither the file nor a cookie is of use without the other."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self.lock = threading.Lock()
        self.database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self.database.execute("pragma journal_mode = wal")
        self.database.execute("pragma secure_delete = on")
        self.database.execute(
            "create table if not exists sessions (key text primary key, sealed blob not null, kept_at real not null)"
        )
        self.database.execute("delete from sessions where kept_at < ?", (time.time() - KEPT_SECONDS,))

    def keep(self, key: str, sealing_key: bytes, refresh_token: str) -> None:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + AESGCM(sealing_key).encrypt(nonce, refresh_token.encode(), key.encode())
        with self.lock:
            self.database.execute("insert or replace into sessions values (?, ?, ?)", (key, sealed, time.time()))

    def load(self, key: str, sealing_key: bytes) -> str | None:
        """Return the refresh token of a session, or None."""
        with self.lock:
            row = self.database.execute("select sealed from sessions where key = ?", (key,)).fetchone()
        if row is None:
            return None
        nonce, sealed = row[0][:NONCE_BYTES], row[0][NONCE_BYTES:]
        try:
            return AESGCM(sealing_key).decrypt(nonce, sealed, key.encode()).decode()
        except InvalidTag:
            return None

    def forget(self, key: str) -> None:
        with self.lock:
            self.database.execute("delete from sessions where key = ?", (key,))
