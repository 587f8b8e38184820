"""Made-up practices as bundles, for the demo and for measuring: the same seed makes the same files.

Nothing here knows a database; what is made is read by whoever reads bundles.
"""

from ingest.synthetic.generate import make_up
from ingest.synthetic.size import Size

__all__ = ["Size", "make_up"]
