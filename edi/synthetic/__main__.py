"""The command `python -m edi.synthetic FOLDER`, which writes the published remittances."""

import sys
from pathlib import Path

from edi.synthetic.published import build_published_files

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in build_published_files().items():
        (folder / name).write_bytes(data)
