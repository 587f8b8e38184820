"""Money as text. Everywhere else it is whole cents."""


def format_cents(cents: int) -> str:
    """Return an amount as dollars with two decimals, such as `-12.05`."""
    dollars, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{dollars}.{rest:02}"


def format_dollars(cents: int) -> str:
    """Return an amount as people read it, such as `-$1,234.05`."""
    dollars, _, rest = format_cents(abs(cents)).partition(".")
    return f"{'-' if cents < 0 else ''}${int(dollars):,}.{rest}"
