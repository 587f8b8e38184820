"""Synthetic remittances for tests, benchmarks and demonstrations: balanced, or corrupted in a named way.

    from edi import synthetic

    synthetic.generate(synthetic.Plan(claims=100, payments=3), seed=7).data   # bytes of an 835
    synthetic.corrupt("COUNT_DIFFERS in SE", synthetic.generate(synthetic.Plan()))  # with the problems to expect
    synthetic.render(synthetic.RemittanceFile(...)).data                      # a remittance for your own claims

`python -m edi.synthetic FOLDER` writes the published files (see docs/remittances).
"""

from edi.synthetic.content import (
    AdjustmentSpec,
    ClaimSpec,
    PaymentSpec,
    ProviderAdjustmentSpec,
    RemittanceFile,
    ServiceSpec,
)
from edi.synthetic.corruptions import CORRUPTIONS, CorruptedFile, corrupt
from edi.synthetic.generator import KINDS, Plan, generate
from edi.synthetic.renderer import RenderedFile, render

__all__ = [
    "CORRUPTIONS",
    "KINDS",
    "AdjustmentSpec",
    "ClaimSpec",
    "CorruptedFile",
    "PaymentSpec",
    "Plan",
    "ProviderAdjustmentSpec",
    "RemittanceFile",
    "RenderedFile",
    "ServiceSpec",
    "corrupt",
    "generate",
    "render",
]
