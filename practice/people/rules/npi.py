"""The rule of National Provider Identifiers, for practices and staff."""

import re

NPI_PROBLEM = "Invalid NPI: expected 10 digits with a valid check digit."


def is_valid_npi(npi: str) -> bool:
    """Return whether the NPI has ten digits and a valid Luhn check digit over 80840 and the first nine."""
    if not re.fullmatch(r"[0-9]{10}", npi):
        return False
    digits = [int(digit) for digit in "80840" + npi]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
