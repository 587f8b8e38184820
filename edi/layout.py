"""Every frame and every column, in one place: which element it holds, what kind of value, and what it means.

Each line of `TABLE` is a column: the element that it is read from and written to (`!`: an 835 must have it; `-2`: the
second component; `-3+`: the components from the third to the sixth), its name, its kind and its meaning. Columns whose
element is `.` are worked out while reading, and the writer leaves them alone. A `*` marks what repeats in a segment.

Kinds: `text`; `cents`, exact integer cents; `date`; `number`, a decimal with four places; `count`, an integer; `index`,
a row number of another frame; `flag`; `list`, of texts. What is missing is null. Besides their own columns, all frames
carry those of `PLACE` that apply to them.
"""

from dataclasses import dataclass
from functools import cache

import polars as pl

PLACE = {
    "file": "which of the files that were read, counted from 0",
    "transaction": "row of `payments`",
    "claim": "row of `claims`; null outside claims",
    "line": "row of `lines`; null where it is about the whole claim",
    "segment": "number of the segment in its file, counted from 1",
}

TABLE = """
files: one row for each file read
  .      name                   text    as it was given
  .      bytes                  count   how long it is, decompressed
  .      segments               count   how many segments it has
  .      refused                flag    nothing in it could be read as an 835; a problem says why
interchanges: one row for each ISA
  .      interchange            index   its own row number
  ISA01! authorization_kind     text    what ISA02 is
  ISA02  authorization          text
  ISA03! security_kind          text    what ISA04 is
  ISA04  security               text
  ISA05! sender_kind            text    what ISA06 is
  ISA06! sender                 text
  ISA07! receiver_kind          text    what ISA08 is
  ISA08! receiver               text
  ISA09! date                   text    YYMMDD
  ISA10! time                   text    HHMM
  ISA11! repetition             text    between repetitions (5010), or the standard's letter (4010)
  ISA12! version                text    00501 or 00401
  ISA13! control_number         text
  ISA14! wants_acknowledgment   text    1 or 0
  ISA15! usage                  text    P for production, T for test
  ISA16! component_separator    text
  .      element_separator      text
  .      segment_terminator     text
  .      end_segment            index   number of the IEA
  IEA01! group_count            count   groups that the sender counted
  IEA02! end_control_number     text
groups: one row for each GS
  .      interchange            index   row of `interchanges`
  .      group                  index   its own row number
  GS01!  functional_id          text    HP for remittances
  GS02!  sender                 text
  GS03!  receiver               text
  GS04!  date                   text    CCYYMMDD
  GS05!  time                   text    HHMM
  GS06!  control_number         text
  GS07!  agency                 text
  GS08!  version                text    such as 005010X221A1
  .      end_segment            index   number of the GE
  GE01!  transaction_count      count   transactions that the sender counted
  GE02!  end_control_number     text
payments: one row for each ST that is an 835
  .      interchange            index   row of `interchanges`
  .      group                  index   row of `groups`
  ST01!  transaction_set        text    835
  ST02!  control_number         text
  ST03   convention             text    such as 005010X221A1; 4010 has none
  .      bpr_segment            index   number of the BPR
  BPR01! handling               text    I, H, ...: payment with the remittance, notice only, ...
  BPR02! amount_cents           cents   what is paid
  BPR03! credit_or_debit        text    C or D
  BPR04! method                 text    ACH, CHK, NON, ...
  BPR05  format                 text    of the bank transfer
  BPR06  payer_bank_kind        text    what BPR07 is
  BPR07  payer_bank             text
  BPR08  payer_account_kind     text    what BPR09 is
  BPR09  payer_account          text
  BPR10  company                text    the payer's number at its bank
  BPR11  company_supplement     text
  BPR12  payee_bank_kind        text    what BPR13 is
  BPR13  payee_bank             text
  BPR14  payee_account_kind     text    what BPR15 is
  BPR15  payee_account          text
  BPR16! date                   date    when the money moves
  .      trn_segment            index   number of the TRN
  TRN01! trace_kind             text    1
  TRN02! trace_number           text    the check's or transfer's number
  TRN03! originator             text    who gave the trace number
  TRN04  originator_supplement  text
  .      end_segment            index   number of the SE
  SE01!  segment_count          count   segments that the sender counted
  SE02!  end_control_number     text
  .      version                text    ST03, or GS08 where there is none
  .      payer_name             text    N1*PR
  .      payer_id               text    N104 of the payer, else its REF*2U
  .      payee_name             text    N1*PE
  .      payee_npi              text    N104 of the payee, where N103 is XX
  .      claim_count            count
  .      charge_cents           cents   sum of CLP03
  .      paid_cents             cents   sum of CLP04
  .      patient_cents          cents   sum of CLP05
  .      provider_cents         cents   sum of the PLB amounts, as written: positive takes away
  .      balanced               flag    paid_cents - provider_cents = amount_cents
  .      balanced_throughout    flag    that, and every claim and every line balances
  .      sound                  flag    nothing is structurally wrong with it, its group or its interchange
provider_adjustments: one row for each pair of a PLB
  .      position               count   which pair of the segment, 1 to 6
  PLB01! provider               text
  PLB02! fiscal_date            date
  PLB03-1!* reason              text    WO, FB, L6, ...
  PLB03-2* reference            text
  PLB04!* amount_cents          cents   positive takes away from the payment
claims: one row for each CLP
  CLP01! control_number         text    the claim's number as the provider sent it
  CLP02! status                 text    1 primary, 2 secondary, 3 tertiary, 4 denied, 22 reversal, ...
  CLP03! charge_cents           cents
  CLP04! paid_cents             cents
  CLP05  patient_cents          cents   what the patient is to pay
  CLP06! filing                 text    the kind of insurance
  CLP07! payer_claim_number     text
  CLP08  facility               text    where; the first digits of the type of bill
  CLP09  frequency              text
  CLP10  patient_status         text
  CLP11  drg                    text
  CLP12  drg_weight             text
  CLP13  discharge_fraction     text
  CLP14  consent                text
  .      adjusted_cents         cents   sum of its adjustments, of the claim and of its lines
  .      balanced               flag    charge_cents - adjusted_cents = paid_cents
lines: one row for each SVC
  SVC01-1! procedure_kind       text    HC for CPT and HCPCS, N4 for NDC, NU for revenue codes, ...
  SVC01-2! procedure            text    what was paid for
  SVC01-3+ modifiers            list    at most four
  SVC01-7 description           text
  SVC02! charge_cents           cents
  SVC03! paid_cents             cents
  SVC04  revenue_code           text
  SVC05  units                  number  paid; one where it is missing
  SVC06-1 submitted_kind        text
  SVC06-2 submitted_procedure   text    what was sent, where it differs
  SVC06-3+ submitted_modifiers  list
  SVC06-7 submitted_description text
  SVC07  submitted_units        number
  .      adjusted_cents         cents   sum of its adjustments
  .      balanced               flag    charge_cents - adjusted_cents = paid_cents
adjustments: one row for each triplet of a CAS; of the whole claim where `line` is null
  .      position               count   which triplet of the segment, 1 to 6
  CAS01! group                  text    CO, PR, OA, PI; CR in 4010
  CAS02!* reason                text    the CARC
  CAS03!* amount_cents          cents   positive lowers the payment
  CAS04* quantity               number
parties: one row for each N1, the payer and the payee
  N101!  entity                 text    PR payer, PE payee
  N102   name                   text
  N103   id_kind                text    XV, XX, FI, ...
  N104   id                     text
names: one row for each NM1 of a claim
  NM101! entity                 text    QC patient, IL insured, 74 corrected, 82 rendering, TT, PR, GB, ...
  NM102! person_or_not          text    1 a person, 2 an organisation
  NM103  last                   text    or the organisation's name
  NM104  first                  text
  NM105  middle                 text
  NM106  prefix                 text
  NM107  suffix                 text
  NM108  id_kind                text    MI member, XX NPI, ...
  NM109  id                     text
references: one row for each REF
  .      entity                 text    whose, before the claims: PR or PE; else null
  REF01! kind                   text    6R line control number, 1L group, EA, ...
  REF02! value                  text
  REF03  description            text
dates: one row for each DTM
  DTM01! kind                   text    232 and 233 of the claim, 472 of the line, 405 of the production, ...
  DTM02! date                   date
amounts: one row for each AMT; they tell, and never count in a balance
  AMT01! kind                   text    AU coverage, B6 allowed, I interest, ...
  AMT02! amount_cents           cents
quantities: one row for each QTY
  QTY01! kind                   text
  QTY02! quantity               number
remarks: one row for each remark code of an LQ, MIA or MOA
  .      source                 text    LQ, MIA or MOA
  LQ01!  kind                   text    HE for RARC
  LQ02!  code                   text
provider_totals: the sums of a TS3 that can be held against the claims below it
  TS301! provider               text
  TS304! claim_count            number
  TS305! charge_cents           cents
others: segments kept as they are: N3 N4 PER CUR RDM LX TS2 TS3 MIA MOA, unknown ones, and ones not read whole
  .      id                     text    the segment's
  .      elements               list    all of it
problems: what is wrong, in the order of the files
  .      offset                 count   byte at which the segment begins in its file, decompressed
  .      element                text    such as CLP03, where it is about one
  .      severity               text    error or warning
  .      code                   text    see `edi.problems`
  .      message                text    one sentence; never a name or a value that could be one
"""

TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,
    "cents": pl.Int64,
    "date": pl.Date,
    "number": pl.Decimal(18, 4),
    "count": pl.Int64,
    "index": pl.UInt32,
    "flag": pl.Boolean,
    "list": pl.List(pl.String),
}

ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")
KEPT_AS_THEY_ARE = ("N3", "N4", "PER", "CUR", "RDM", "LX", "TS2", "TS3", "MIA", "MOA")
REPEATS = {"CAS": (3, 6), "PLB": (2, 6)}  # how many elements repeat, and how often
MODIFIERS = 4


@dataclass(frozen=True)
class Column:
    """One column of a frame; `id` and `element` say where it stands, and are empty where it is worked out."""

    frame: str
    id: str
    element: int
    part: int
    required: bool
    repeats: bool
    name: str
    kind: str


def _column(frame: str, line: str) -> Column:
    where, name, kind = line.split()[:3]
    element, _, part = where.rstrip("+!*").partition("-")
    id, number = ("", 0) if element == "." else (element[:-2], int(element[-2:]))
    return Column(frame, id, number, int(part or 0), "!" in where, "*" in where, name, kind)


def _read_table() -> dict[str, list[Column]]:
    frames: dict[str, list[Column]] = {}
    frame = ""
    for line in TABLE.strip().splitlines():
        if line.startswith(" "):
            frames[frame].append(_column(frame, line))
        else:
            frame = line.partition(":")[0]
            frames[frame] = []
    return frames


FRAMES = _read_table()

SEGMENTS: dict[str, list[Column]] = {}
for _frame in FRAMES.values():
    for _one in _frame:
        if _one.id:
            SEGMENTS.setdefault(_one.id, []).append(_one)

KINDS = tuple(dict.fromkeys([*ENVELOPE, *SEGMENTS, *KEPT_AS_THEY_ARE]))  # of segments, the envelope's first
NUMBER_OF = {kind: number for number, kind in enumerate(KINDS)}

_PLACE_OF = {
    "files": ["file"],
    "interchanges": ["file", "segment"],
    "groups": ["file", "segment"],
    "payments": ["file", "transaction", "segment"],
    "provider_adjustments": ["file", "transaction", "segment"],
    "parties": ["file", "transaction", "segment"],
    "provider_totals": ["file", "transaction", "segment"],
    "claims": ["file", "transaction", "claim", "segment"],
    "problems": ["file", "transaction", "claim", "segment"],
}


def place_of(frame: str) -> list[str]:
    """The columns of `PLACE` that a frame carries."""
    return _PLACE_OF.get(frame, list(PLACE))


@cache
def schema_of(frame: str) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Names and types of a frame's columns, in order."""
    place = dict.fromkeys(place_of(frame), pl.UInt32)
    return place | {column.name: TYPES[column.kind] for column in FRAMES[frame]}
