"""Categories of remittance codes, our own; the texts that X12 publishes are not included.

`CARC` maps the reasons of CAS, `RARC` the remark codes, `PLB` the reasons of provider adjustments and `STATUS` the
statuses of CLP02. A code that is not listed may still be valid; nothing in this package depends on the categories.
"""

# fmt: off
_CARC = {
    "deductible": "1 66 247", "coinsurance": "2 248", "copay": "3 241", "patient_other": "142 187",
    "contractual": "44 45 59 131 172 222 271", "sequestration": "253", "other_payer": "22 23", "capitation": "24",
    "bundled": "97 231 234 236", "incentive": "104 144 161 237 245", "interest": "225", "reporting_only": "246",
    "missing_information": "16 125 129 140 148 163 164 206 207 208 226 227 250 251 252", "duplicate": "18",
    "late_filing": "29 B4", "not_eligible": "26 27 31 32 33 34 166 177 200", "wrong_payer": "19 20 21 109 B11",
    "authorization": "15 39 197 198 210 243 284 296 302", "referral": "287 288",
    "medical_necessity": "50 55 56 150 151 152 153 154", "benefit_limit": "35 119 149 273",
    "not_covered": "49 51 53 96 111 114 167 204 256 258 272",
    "wrong_coding": "4 5 6 7 8 9 10 11 12 146 181 182 189 199",
    "provider_not_eligible": "170 171 183 184 185 242 279 283 299 B7", "denied_other": "A1", "paid_before": "B13",
}
_RARC = {
    "missing_information":
        "M20 M51 M52 M53 M59 M76 M77 MA04 MA27 MA31 MA36 MA61 MA63 MA83 MA130 N4 N26 N29 N56 N58 N245 N255 N256 N257 "
        "N286 N290 N382",
    "duplicate": "M86 N522", "appeal_rights": "MA01 MA02 MA44 MA46 N1 N211", "crossover": "MA07 MA18 N89",
    "not_covered": "N130 N425 N429 N430", "not_eligible": "N30 N216", "provider_not_eligible": "N95 N198",
    "medical_necessity": "M25 M26 N115 N386", "authorization": "M62 N54",
    "benefit_limit": "M90 N362 N435 N587 N640", "contractual": "N14 N381 N442", "patient_may_be_billed": "M38",
}
_PLB = {
    "interest": "L6", "forwarding": "FB", "recovery": "72 B3 OB TL WO WU", "withholding": "E3 IR LE SL",
    "advance": "AP C5 IS PI", "incentive": "B2 BN IP", "capitation": "CR CT", "lump_sum": "LS", "penalty": "50 51 L3",
    "final_settlement": "PL", "passthrough": "CV CW DM GO HM OA RE", "adjustment": "90 AH AM BD CS FC J1 RA",
}
# fmt: on
STATUS = {
    "1": "primary",
    "2": "secondary",
    "3": "tertiary",
    "4": "denied",
    "19": "primary_forwarded",
    "20": "secondary_forwarded",
    "21": "tertiary_forwarded",
    "22": "reversal",
    "23": "not_ours_forwarded",
    "25": "predetermination",
}


def _index_by_code(categories: dict[str, str]) -> dict[str, str]:
    return {code: category for category, codes in categories.items() for code in codes.split()}


CARC, RARC, PLB = _index_by_code(_CARC), _index_by_code(_RARC), _index_by_code(_PLB)
