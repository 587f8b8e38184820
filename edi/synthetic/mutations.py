"""Random damage: one change to a valid file, of a named kind, with consequences that are not known beforehand.

Some kinds must always be detected, since they change what a balance or a count covers: `ALWAYS_DETECTED`.
"""

from collections.abc import Callable
from random import Random

from edi.synthetic.registry import Segments
from edi.synthetic.renderer import RenderedFile

_AMOUNTS = {"BPR": (2,), "CLP": (3, 4), "SVC": (2, 3), "CAS": (3, 6, 9, 12, 15, 18), "PLB": (4, 6, 8, 10, 12, 14)}
_DELIMITERS = b"*:~^|>\n\r "


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data.rstrip()))]


def _change_byte(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + bytes([random.randrange(256)]) + data[index + 1 :]


def _remove_byte(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + data[index + 1 :]


def _insert_byte(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + bytes([random.randrange(256)]) + data[index:]


def _change_delimiter(data: bytes, random: Random) -> bytes:
    indexes = [index for index, char in enumerate(data) if char in b"*:~|>\n"]
    index = random.choice(indexes)
    return data[:index] + bytes([random.choice(_DELIMITERS)]) + data[index + 1 :]


def _repeat_range(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + data[index : index + random.randrange(1, 300)] + data[index:]


def _remove_range(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + data[index + random.randrange(1, 300) :]


def _insert_zeros(data: bytes, random: Random) -> bytes:
    index = random.randrange(len(data))
    return data[:index] + b"\0" * random.randrange(1, 200) + data[index:]


def _repeat_beginning(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))] + data


BYTE_DAMAGE: dict[str, Callable[[bytes, Random], bytes]] = {
    "truncated": _truncate,
    "a byte changed": _change_byte,
    "a byte removed": _remove_byte,
    "a byte inserted": _insert_byte,
    "a delimiter changed": _change_delimiter,
    "a range repeated": _repeat_range,
    "a range removed": _remove_range,
    "zeros inserted": _insert_zeros,
    "the beginning repeated": _repeat_beginning,
}


def _pick_index(segments: Segments, random: Random, *kinds: str) -> int:
    return random.choice([index for index, segment in enumerate(segments) if not kinds or segment[0] in kinds])


def _pick_segment(segments: Segments, random: Random) -> list[str]:
    return segments[_pick_index(segments, random)]


def _remove_segment(segments: Segments, random: Random) -> None:
    del segments[_pick_index(segments, random)]


def _remove_adjustment(segments: Segments, random: Random) -> None:
    del segments[_pick_index(segments, random, "CAS")]


def _repeat_segment(segments: Segments, random: Random) -> None:
    index = _pick_index(segments, random)
    segments.insert(index, list(segments[index]))


def _swap_segments(segments: Segments, random: Random) -> None:
    first, second = random.randrange(len(segments)), random.randrange(len(segments))
    segments[first], segments[second] = segments[second], segments[first]


def _change_amount(segments: Segments, random: Random) -> None:
    """Change a digit of an amount that is part of a balance."""
    amounts = [
        (segment, number)
        for segment in segments
        for number in _AMOUNTS.get(segment[0], ())
        if number < len(segment) and segment[number]
    ]
    segment, number = random.choice(amounts)
    text = segment[number]
    index = random.choice([index for index, char in enumerate(text) if char.isdigit()])
    digit = random.choice([digit for digit in "123456789" if digit != text[index]])
    segment[number] = text[:index] + digit + text[index + 1 :]


def _remove_element(segments: Segments, random: Random) -> None:
    segment = _pick_segment(segments, random)
    del segment[random.randrange(len(segment))]


def _clear_element(segments: Segments, random: Random) -> None:
    segment = _pick_segment(segments, random)
    segment[random.randrange(len(segment))] = ""


def _copy_element(segments: Segments, random: Random) -> None:
    segment = _pick_segment(segments, random)
    segment[random.randrange(len(segment))] = random.choice(_pick_segment(segments, random))


def _lengthen_element(segments: Segments, random: Random) -> None:
    segment = _pick_segment(segments, random)
    segment[random.randrange(len(segment))] *= random.choice((2, 50, 3000))


def _add_elements(segments: Segments, random: Random) -> None:
    segment = _pick_segment(segments, random)
    segment += ["1"] * random.choice((1, 30, 500))


SEGMENT_DAMAGE: dict[str, Callable[[Segments, Random], None]] = {
    "a segment removed": _remove_segment,
    "an adjustment removed": _remove_adjustment,
    "a segment repeated": _repeat_segment,
    "two segments swapped": _swap_segments,
    "an amount changed": _change_amount,
    "an element removed": _remove_element,
    "an element cleared": _clear_element,
    "an element copied": _copy_element,
    "an element lengthened": _lengthen_element,
    "elements added": _add_elements,
}

DAMAGE_KINDS = (*BYTE_DAMAGE, *SEGMENT_DAMAGE)
ALWAYS_DETECTED = ("truncated", "an adjustment removed", "an amount changed", "a segment removed")


def damage(kind: str, file: RenderedFile, random: Random) -> bytes:
    """Return the bytes of the file with a random change of this kind."""
    if kind in BYTE_DAMAGE:
        return BYTE_DAMAGE[kind](file.data, random)
    segments = [list(segment) for segment in file.segments]
    SEGMENT_DAMAGE[kind](segments, random)
    return file.replace_segments([segment for segment in segments if segment]).data
