"""`python -m edi.synthetic FOLDER`: the published remittances, written anew."""

import sys
from pathlib import Path

from edi.synthetic.published import published

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in published().items():
        (folder / name).write_bytes(data)
