"""The location of the master key of the installation."""

import os

from practice.errors import ConfigurationProblem
from practice.security.encryption import MasterKey
from practice.settings import Settings
from practice.store.private_files import write_private


def load_master_key(settings: Settings) -> MasterKey:
    """Return the master key from the settings or its file, or (in development) create it on first use."""
    settings.check()
    if settings.master_key is not None:
        return MasterKey.parse(settings.master_key.get_secret_value())
    path = settings.master_key_file
    try:
        return MasterKey.parse(path.read_text())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigurationProblem(
            f"The master key file {path} cannot be read ({error.strerror}). Correct its owner or permissions."
        ) from None
    key = MasterKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(f"{path.name}.{os.getpid()}")
    write_private(part, key.to_text() + "\n")
    try:
        os.link(part, path)  # atomic, and never replaces another's
    except FileExistsError:  # another process was first
        return MasterKey.parse(path.read_text())
    finally:
        part.unlink()
    return key
