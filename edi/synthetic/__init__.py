"""Made-up remittances for tests, benches and demonstrations: balanced, or broken in a way that has a name.

    from edi import madeup

    madeup.make_up(madeup.Plan(claims=100, payments=3), seed=7).data        # bytes of an 835
    madeup.broken("COUNT_DIFFERS in SE", madeup.make_up(madeup.Plan()))     # the same kind of file, with what is wrong
    madeup.written(madeup.Mail(...)).data                                   # a remittance for claims of your own

`python -m edi.synthetic FOLDER` writes the published files (see docs/remittances).
"""

from edi.synthetic.content import Adjust, Bill, Mail, ProviderAdjust, Service, Transfer
from edi.synthetic.corruptions import BREAKS, Broken, broken
from edi.synthetic.generator import KINDS, Plan, mail_of, make_up
from edi.synthetic.renderer import Written, written

__all__ = [
    "BREAKS",
    "KINDS",
    "Adjust",
    "Bill",
    "Broken",
    "Mail",
    "Plan",
    "ProviderAdjust",
    "Service",
    "Transfer",
    "Written",
    "broken",
    "mail_of",
    "make_up",
    "written",
]
