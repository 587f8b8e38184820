"""Callers that want no reports of progress."""


def ignore_message(_message: str) -> None:
    """Ignore what is being done."""


def ignore_count(_done: int, _total: int) -> None:
    """Ignore how much of how much is done."""
