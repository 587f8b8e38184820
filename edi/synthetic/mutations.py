"""Damage by chance: one change to a good file, of a kind that has a name. What it does is not known beforehand.

Some kinds have to be found always, since they change what a balance or a count is about: `ALWAYS_FOUND`.
"""

from collections.abc import Callable
from random import Random

from edi.synthetic.registry import Segments
from edi.synthetic.renderer import Written

Damage = Callable[[bytes, Random], bytes]

_AMOUNTS = {"BPR": (2,), "CLP": (3, 4), "SVC": (2, 3), "CAS": (3, 6, 9, 12, 15, 18), "PLB": (4, 6, 8, 10, 12, 14)}
_DELIMITERS = b"*:~^|>\n\r "


def _cut(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data.rstrip()))]


def _byte_changed(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _byte_dropped(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + 1 :]


def _byte_put_in(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([chance.randrange(256)]) + data[at:]


def _delimiter_changed(data: bytes, chance: Random) -> bytes:
    places = [at for at, one in enumerate(data) if one in b"*:~|>\n"]
    at = chance.choice(places)
    return data[:at] + bytes([chance.choice(_DELIMITERS)]) + data[at + 1 :]


def _stretch_twice(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at : at + chance.randrange(1, 300)] + data[at:]


def _stretch_gone(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[at + chance.randrange(1, 300) :]


def _zeros(data: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + b"\0" * chance.randrange(1, 200) + data[at:]


def _begun_twice(data: bytes, chance: Random) -> bytes:
    return data[: chance.randrange(len(data))] + data


BY_BYTES: dict[str, Damage] = {
    "cut off": _cut,
    "a byte changed": _byte_changed,
    "a byte dropped": _byte_dropped,
    "a byte put in": _byte_put_in,
    "a delimiter changed": _delimiter_changed,
    "a stretch twice": _stretch_twice,
    "a stretch gone": _stretch_gone,
    "zeros put in": _zeros,
    "begun twice": _begun_twice,
}


def _pick(segments: Segments, chance: Random, *kinds: str) -> int:
    return chance.choice([at for at, one in enumerate(segments) if not kinds or one[0] in kinds])


def _dropped(segments: Segments, chance: Random) -> None:
    del segments[_pick(segments, chance)]


def _adjustment_dropped(segments: Segments, chance: Random) -> None:
    del segments[_pick(segments, chance, "CAS")]


def _twice(segments: Segments, chance: Random) -> None:
    at = _pick(segments, chance)
    segments.insert(at, list(segments[at]))


def _swapped(segments: Segments, chance: Random) -> None:
    one, other = chance.randrange(len(segments)), chance.randrange(len(segments))
    segments[one], segments[other] = segments[other], segments[one]


def _amount_changed(segments: Segments, chance: Random) -> None:
    """Another digit in an amount that counts in a balance."""
    places = [
        (segment, number)
        for segment in segments
        for number in _AMOUNTS.get(segment[0], ())
        if number < len(segment) and segment[number]
    ]
    segment, number = chance.choice(places)
    digits = [at for at, sign in enumerate(segment[number]) if sign.isdigit()]
    at = chance.choice(digits)
    other = chance.choice([digit for digit in "123456789" if digit != segment[number][at]])
    segment[number] = segment[number][:at] + other + segment[number][at + 1 :]


def _element_dropped(segments: Segments, chance: Random) -> None:
    segment = segments[_pick(segments, chance)]
    del segment[chance.randrange(len(segment))]


def _element_emptied(segments: Segments, chance: Random) -> None:
    segment = segments[_pick(segments, chance)]
    segment[chance.randrange(len(segment))] = ""


def _element_from_elsewhere(segments: Segments, chance: Random) -> None:
    segment = segments[_pick(segments, chance)]
    segment[chance.randrange(len(segment))] = chance.choice(segments[_pick(segments, chance)])


def _element_overlong(segments: Segments, chance: Random) -> None:
    segment = segments[_pick(segments, chance)]
    segment[chance.randrange(len(segment))] *= chance.choice((2, 50, 3000))


def _many_elements(segments: Segments, chance: Random) -> None:
    segments[_pick(segments, chance)] += ["1"] * chance.choice((1, 30, 500))


BY_SEGMENTS: dict[str, Callable[[Segments, Random], None]] = {
    "a segment dropped": _dropped,
    "an adjustment dropped": _adjustment_dropped,
    "a segment twice": _twice,
    "two segments swapped": _swapped,
    "an amount changed": _amount_changed,
    "an element dropped": _element_dropped,
    "an element emptied": _element_emptied,
    "an element from elsewhere": _element_from_elsewhere,
    "an overlong element": _element_overlong,
    "many elements": _many_elements,
}

DAMAGES = (*BY_BYTES, *BY_SEGMENTS)
ALWAYS_FOUND = ("cut off", "an adjustment dropped", "an amount changed", "a segment dropped")


def damaged(kind: str, good: Written, chance: Random) -> bytes:
    if kind in BY_BYTES:
        return BY_BYTES[kind](good.data, chance)
    segments = [list(segment) for segment in good.segments]
    BY_SEGMENTS[kind](segments, chance)
    return good.with_segments([segment for segment in segments if segment]).data
