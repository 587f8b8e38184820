"""Commands for encryption keys: `caseload keys`."""

from pathlib import Path
from typing import Annotated

import typer

from caseload.api_process import ApiProcess
from caseload.console import (
    PracticeName,
    connect_installation,
    find_practice_actor,
    now,
    out,
    read_settings,
    show_progress,
)
from practice.errors import StoreProblem
from practice.store.private_files import write_private

keys_app = typer.Typer(no_args_is_help=True, help="Keys that encrypt protected fields.")


@keys_app.command("create-master")
def create_master_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new file of the key.")],
) -> None:
    """Create a master key in a new file that only you can read. Store a copy away from the backups.

    Example: caseload keys create-master /etc/caseload/master.key
    """
    from practice.security.encryption import MasterKey

    if file.exists():
        raise StoreProblem(f"{file} already exists, and a key is never overwritten. Choose another file name.")
    file.parent.mkdir(parents=True, exist_ok=True)
    key = MasterKey.generate()
    write_private(file, key.to_text() + "\n")
    out.print(f"Created master key {key.key_id} in {file}. Set CASELOAD_MASTER_KEY_FILE to this file.", markup=False)


@keys_app.command("rotate")
def rotate_data_key(practice: PracticeName) -> None:
    """Create a new data key for a practice.

    Every protected field is encrypted again.

    Example: caseload keys rotate oak-street
    """
    from practice.security import rotation

    with connect_installation() as installation, show_progress("Encrypting again"):
        fields = rotation.rotate_data_key(installation, find_practice_actor(installation, practice).tenant_id, now())
    out.print(f"Rotated the data key and encrypted {fields} fields again.")


@keys_app.command("rotate-master")
def rotate_master_key(
    new_key_file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of the new master key.")],
) -> None:
    """Encrypt all data keys with a new master key.

    Create the key before with `keys create-master`.

    Example: caseload keys rotate-master /etc/caseload/new.key
    """
    from practice.security import rotation
    from practice.security.encryption import MasterKey

    if ApiProcess(read_settings()).find_running():
        raise StoreProblem("The API is running with the old key. Run `caseload down` first.")
    new_key = MasterKey.parse(new_key_file.read_text())
    with connect_installation() as installation, show_progress("Encrypting the keys again"):
        keys = rotation.rotate_master_key(installation, new_key, now())
    out.print(f"Encrypted {keys} data keys with master key {new_key.key_id}.")
    out.print(f"Set CASELOAD_MASTER_KEY_FILE to {new_key_file} from now on.", markup=False)
