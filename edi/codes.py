"""What codes of remittances come to, in categories of our own. The texts that X12 publishes are not here.

`CARC` has the reasons of CAS, `RARC` remark codes, `PLB` the reasons of provider adjustments, `STATUS` those of CLP02. A
code that is not here is not wrong; nothing in this package depends on the categories.
"""

# fmt: off
_CARC = {
    "deductible": "1 66", "coinsurance": "2", "copay": "3", "patient_other": "186 187 241 247 248",
    "contractual": "45 42 172 222 231", "sequestration": "253", "other_payer": "22 23", "capitation": "24",
    "bundled": "97 236 234", "quality_programme": "237 144 223 89 90 91 94 100 101 102 103 104 105 106 107 121",
    "missing_information": "16 125 129 148 163 164 226 227 251 252", "duplicate": "18", "late_filing": "29",
    "not_eligible": "26 27 31 32 33 34 166 177 200", "wrong_payer": "19 20 21 109",
    "authorization": "15 197 198 243 296 302", "medical_necessity": "50 54 55 56 151 152 153 154", 
    "not_covered": "49 51 53 96 98 111 114 167 204 256 258", "benefit_limit": "35 119 149 168 273 275",
    "wrong_coding": "4 5 6 7 8 9 10 11 12 146 181 182 199",
    "provider_not_eligible": "38 52 170 171 183 184 185 242 B7", "referral": "165 288 B20 B15",
    "interest": "85 225", "late_charge": "95 110", "transfer": "A1 B11 B13 B16 B22 B23",
}
_RARC = {
    "missing_information": "M20 M51 M52 M53 M59 M76 M77 MA04 MA27 MA31 MA36 MA61 MA63 MA83 MA130 N4 N26 N29 N56 N181 N188 N198 N245"
                           " N255 N256 N257 N286 N290 N382",
    "duplicate": "M86 N522", "appeal_rights": "MA01 MA02 MA44 MA46 N1", "crossover": "MA07 MA18 N89",
    "not_covered": "N30 N95 N130 N174 N216 N425 N429 N430", "medical_necessity": "M25 M26 N115 N386",
    "authorization": "M62 N54", "benefit_limit": "M90 N362 N435 N587 N640", "contractual": "N14 N381 N442 N670 N702",
    "patient_may_be_billed": "M38 N58 N859", "patient_may_not_be_billed": "M16 N211",
}
_PLB = {
    "interest": "L6", "forwarding": "FB", "recovery": "WO B3 WU E3 72", "withholding": "IR LE RE SL TL",
    "advance": "AP IS PI C5", "incentive": "IP B2", "capitation": "CT", "lump_sum": "LS",
    "adjustment": "CS AM J1 50 51 90 AH BD BN CR CV CW DM FC GO HM L3 OA OB PL RA",
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


def _by_code(categories: dict[str, str]) -> dict[str, str]:
    return {code: category for category, codes in categories.items() for code in codes.split()}


CARC, RARC, PLB = _by_code(_CARC), _by_code(_RARC), _by_code(_PLB)
