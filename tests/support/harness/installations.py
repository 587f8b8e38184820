"""Installations with their own folder and embedded server."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from practice.security.encryption import MasterKey
from practice.security.installation import Installation
from practice.settings import Settings
from practice.store.store import Store


@contextmanager
def open_embedded_installation(folder: Path, master: MasterKey, *, prepared: bool = True) -> Generator[Installation]:
    """Open an embedded installation. Its server is stopped at the end; its folder stays."""
    store = Store(folder)
    try:
        if prepared:
            store.prepare()
        yield Installation(Settings(data_dir=folder, master_key=SecretStr(master.to_text())), store)
    finally:
        store.close()
        assert store.embedded is not None
        store.embedded.stop()


@contextmanager
def create_short_folder() -> Generator[Path]:
    """Create a folder that the server's account can access, with a path short enough for a socket."""
    memory = Path("/dev/shm")
    fits = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="cl-", dir=memory if fits else None))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
