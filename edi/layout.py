"""Every frame and every column, in one table: the element a column holds, the kind of its value, and its meaning.

Each line of `TABLE` is a column: the element that it is read from and written to (`!`: required in an 835; `-2`: the
second component; `-3+`: the components from the third to the sixth), its name, its kind and its meaning. A column whose
element is `.` is computed while reading, and the writer ignores it. A `*` marks what repeats within a segment.

Kinds: `text`; `cents`, exact integer cents; `date`; `number`, a decimal with four places; `count`, an integer; `index`,
a row number of another frame; `flag`; `list`, of texts. A missing value is null. Besides their own columns, all frames
carry the columns of `LOCATION` that apply to them.
"""

from dataclasses import dataclass
from functools import cache

import polars as pl

LOCATION = {
    "file": "index of the file among those read, from 0",
    "transaction": "row of `payments`",
    "claim": "row of `claims`; null outside claims",
    "line": "row of `lines`; null if it concerns the whole claim",
    "segment": "number of the segment in its file, from 1",
}

TABLE = """
files: one row for each file read
  .      name                   text    as given by the caller
  .      bytes                  count   size, decompressed
  .      segments               count   number of segments
  .      refused                flag    nothing in it was read as an 835; `problems` says why
interchanges: one row for each ISA
  .      interchange            index   its own row number
  ISA01! authorization_kind     text    qualifier of ISA02
  ISA02  authorization          text
  ISA03! security_kind          text    qualifier of ISA04
  ISA04  security               text
  ISA05! sender_kind            text    qualifier of ISA06
  ISA06! sender                 text
  ISA07! receiver_kind          text    qualifier of ISA08
  ISA08! receiver               text
  ISA09! date                   text    YYMMDD
  ISA10! time                   text    HHMM
  ISA11! repetition             text    repetition separator (5010), or the standard's letter (4010)
  ISA12! version                text    00501 or 00401
  ISA13! control_number         text
  ISA14! wants_acknowledgment   text    1 or 0
  ISA15! usage                  text    P for production, T for test
  ISA16! component_separator    text
  .      element_separator      text
  .      segment_terminator     text
  .      end_segment            index   number of the IEA
  IEA01! group_count            count   groups as declared by the sender
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
  GE01!  transaction_count      count   transactions as declared by the sender
  GE02!  end_control_number     text
payments: one row for each ST that is an 835
  .      interchange            index   row of `interchanges`
  .      group                  index   row of `groups`
  ST01!  transaction_set        text    835
  ST02!  control_number         text
  ST03   convention             text    such as 005010X221A1; 4010 has none
  .      bpr_segment            index   number of the BPR
  BPR01! handling               text    I, H, ...: payment with the remittance, notice only, ...
  BPR02! amount_cents           cents   amount paid
  BPR03! credit_or_debit        text    C or D
  BPR04! method                 text    ACH, CHK, NON, ...
  BPR05  format                 text    of the bank transfer
  BPR06  payer_bank_kind        text    qualifier of BPR07
  BPR07  payer_bank             text
  BPR08  payer_account_kind     text    qualifier of BPR09
  BPR09  payer_account          text
  BPR10  company                text    the payer's id at its bank
  BPR11  company_supplement     text
  BPR12  payee_bank_kind        text    qualifier of BPR13
  BPR13  payee_bank             text
  BPR14  payee_account_kind     text    qualifier of BPR15
  BPR15  payee_account          text
  BPR16! date                   date    effective date of the payment
  .      trn_segment            index   number of the TRN
  TRN01! trace_kind             text    1
  TRN02! trace_number           text    number of the check or transfer
  TRN03! originator             text    issuer of the trace number
  TRN04  originator_supplement  text
  .      end_segment            index   number of the SE
  SE01!  segment_count          count   segments as declared by the sender
  SE02!  end_control_number     text
  .      version                text    ST03, else GS08
  .      payer_name             text    N1*PR
  .      payer_id               text    N104 of the payer, else its REF*2U
  .      payee_name             text    N1*PE
  .      payee_npi              text    N104 of the payee if N103 is XX
  .      claim_count            count
  .      charge_cents           cents   sum of CLP03
  .      paid_cents             cents   sum of CLP04
  .      patient_cents          cents   sum of CLP05
  .      provider_cents         cents   sum of the PLB amounts, as written: positive takes away
  .      balanced               flag    paid_cents - provider_cents = amount_cents
  .      balanced_throughout    flag    balanced, and so is every claim and every line
  .      sound                  flag    no structural error in it, its group or its interchange
provider_adjustments: one row for each pair of a PLB
  .      position               count   position of the pair in the segment, 1 to 6
  PLB01! provider               text
  PLB02! fiscal_date            date
  PLB03-1!* reason              text    WO, FB, L6, ...
  PLB03-2* reference            text
  PLB04!* amount_cents          cents   positive takes away from the payment
claims: one row for each CLP
  CLP01! control_number         text    claim number as submitted by the provider
  CLP02! status                 text    1 primary, 2 secondary, 3 tertiary, 4 denied, 22 reversal, ...
  CLP03! charge_cents           cents
  CLP04! paid_cents             cents
  CLP05  patient_cents          cents   patient responsibility
  CLP06! filing                 text    the kind of insurance
  CLP07! payer_claim_number     text
  CLP08  facility               text    place of service, or the first digits of the type of bill
  CLP09  frequency              text
  CLP10  patient_status         text
  CLP11  drg                    text
  CLP12  drg_weight             text
  CLP13  discharge_fraction     text
  CLP14  consent                text
  .      adjusted_cents         cents   sum of the adjustments of the claim and its lines
  .      balanced               flag    charge_cents - adjusted_cents = paid_cents
lines: one row for each SVC
  SVC01-1! procedure_kind       text    HC for CPT and HCPCS, N4 for NDC, NU for revenue codes, ...
  SVC01-2! procedure            text    procedure that was paid
  SVC01-3+ modifiers            list    at most four
  SVC01-7 description           text
  SVC02! charge_cents           cents
  SVC03! paid_cents             cents
  SVC04  revenue_code           text
  SVC05  units                  number  units paid; a missing value means one
  SVC06-1 submitted_kind        text
  SVC06-2 submitted_procedure   text    procedure submitted, if it differs
  SVC06-3+ submitted_modifiers  list
  SVC06-7 submitted_description text
  SVC07  submitted_units        number
  .      adjusted_cents         cents   sum of its adjustments
  .      balanced               flag    charge_cents - adjusted_cents = paid_cents
adjustments: one row for each triplet of a CAS; a claim-level one has no `line`
  .      position               count   position of the triplet in the segment, 1 to 6
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
  NM102! person_or_not          text    1 a person, 2 an organization
  NM103  last                   text    or the organization's name
  NM104  first                  text
  NM105  middle                 text
  NM106  prefix                 text
  NM107  suffix                 text
  NM108  id_kind                text    MI member, XX NPI, ...
  NM109  id                     text
references: one row for each REF
  .      entity                 text    PR or PE for a reference before the claims; else null
  REF01! kind                   text    6R line control number, 1L group, EA, ...
  REF02! value                  text
  REF03  description            text
dates: one row for each DTM
  DTM01! kind                   text    232 and 233 of the claim, 472 of the line, 405 of the production, ...
  DTM02! date                   date
amounts: one row for each AMT; informational, never part of a balance
  AMT01! kind                   text    AU coverage, B6 allowed, I interest, ...
  AMT02! amount_cents           cents
quantities: one row for each QTY
  QTY01! kind                   text
  QTY02! quantity               number
remarks: one row for each remark code of an LQ, MIA or MOA
  .      source                 text    LQ, MIA or MOA
  LQ01!  kind                   text    HE for RARC
  LQ02!  code                   text
provider_totals: the sums of a TS3 that can be checked against the claims below it
  TS301! provider               text
  TS304! claim_count            number
  TS305! charge_cents           cents
others: segments stored unchanged: N3 N4 PER CUR RDM LX TS2 TS3 MIA MOA, unknown and partly read ones
  .      id                     text    segment id
  .      elements               list    all elements
problems: one row for each problem, in the order of the files
  .      offset                 count   byte offset of the segment in its file, decompressed
  .      element                text    such as CLP03, if it concerns one
  .      severity               text    error or warning
  .      code                   text    see `edi.problems`
  .      message                text    never contains names or values that could be names
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
RAW_SEGMENTS = ("N3", "N4", "PER", "CUR", "RDM", "LX", "TS2", "TS3", "MIA", "MOA")
REPEATS = {"CAS": (3, 6), "PLB": (2, 6)}  # (elements that repeat, times)
MODIFIERS = 4


@dataclass(frozen=True)
class Column:
    """One column of a frame; `id` and `element` locate it in a segment, and are empty for a computed column."""

    frame: str
    id: str
    element: int
    component: int
    required: bool
    repeats: bool
    name: str
    kind: str


def _parse_column(frame: str, line: str) -> Column:
    source, name, kind = line.split()[:3]
    element, _, component = source.rstrip("+!*").partition("-")
    segment_id, number = ("", 0) if element == "." else (element[:-2], int(element[-2:]))
    return Column(frame, segment_id, number, int(component or 0), "!" in source, "*" in source, name, kind)


def _parse_table() -> dict[str, list[Column]]:
    frames: dict[str, list[Column]] = {}
    frame = ""
    for line in TABLE.strip().splitlines():
        if line.startswith(" "):
            frames[frame].append(_parse_column(frame, line))
        else:
            frame = line.partition(":")[0]
            frames[frame] = []
    return frames


FRAMES = _parse_table()

SEGMENTS: dict[str, list[Column]] = {}
for _columns in FRAMES.values():
    for _column in _columns:
        if _column.id:
            SEGMENTS.setdefault(_column.id, []).append(_column)

KINDS = tuple(dict.fromkeys([*ENVELOPE, *SEGMENTS, *RAW_SEGMENTS]))  # segment ids, the envelope's first
KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}

_LOCATION_COLUMNS = {
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


def list_location_columns(frame: str) -> list[str]:
    """Return the columns of `LOCATION` that the frame carries."""
    return _LOCATION_COLUMNS.get(frame, list(LOCATION))


@cache
def build_schema(frame: str) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Return the names and types of the frame's columns, in order."""
    location = dict.fromkeys(list_location_columns(frame), pl.UInt32)
    return location | {column.name: TYPES[column.kind] for column in FRAMES[frame]}
