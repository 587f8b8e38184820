"""Loading the master key of the installation."""

import os

from practice.errors import ConfigurationProblem
from practice.security.encryption import MasterKey
from practice.settings import Settings
from practice.store.private_files import write_private


def load_master_key(settings: Settings) -> MasterKey:
    """Return the master key: given, read from its file, or (in development) created on first use."""
    settings.check()
    if settings.master_key is not None:
        return MasterKey.from_text(settings.master_key.get_secret_value())
    path = settings.master_key_file
    try:
        return MasterKey.from_text(path.read_text())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigurationProblem(
            f"The master key file {path} cannot be read ({error.strerror}). Correct its owner or permissions."
        ) from None
    key = MasterKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    write_private(mine, key.to_text() + "\n")
    try:
        os.link(mine, path)  # whole or not at all, and never in place of another's
    except FileExistsError:  # another process was first
        return MasterKey.from_text(path.read_text())
    finally:
        mine.unlink()
    return key
