"""Synthetic practices as bundles, for the demo, tests and benchmarks. The same seed gives the same files.

Nothing here uses a database: the result is a bundle like any other.
"""

from ingest.synthetic.generator import generate
from ingest.synthetic.size import Size

__all__ = ["Size", "generate"]
