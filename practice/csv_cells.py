"""Text in CSV files that people open in spreadsheets: a cell that looks like a formula would be run.

Such a text gets an apostrophe in front, and so does one that has apostrophes before it; removing one apostrophe from
either gives the text back.
"""

import re

FORMULA = r"'*[=+\-@\t\r]"  # how a text begins that a spreadsheet may run


def escape_formula(text: str) -> str:
    """Return text that no spreadsheet program evaluates as a formula."""
    return f"'{text}" if re.match(FORMULA, text) else text
