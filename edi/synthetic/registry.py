"""How ways of breaking a remittance are kept by name, and what they have in common."""

from collections.abc import Callable

from edi.synthetic.renderer import Segment

Place = tuple[str, int | None, str | None]  # code, segment, element
Told = tuple[list[Place], tuple[str, ...]]
Segments = list[Segment]
Way = Callable[[Segments], Told]


class Ways(dict[str, Way]):
    """Ways by name; called with a name, it takes the function that follows."""

    def __call__(self, name: str) -> Callable[[Way], Way]:
        def keep(function: Way) -> Way:
            self[name] = function
            return function

        return keep


def first(segments: Segments, *start: str) -> int:
    return next(at for at, segment in enumerate(segments) if segment[: len(start)] == list(start))


def recount(segments: Segments) -> None:
    """SE counts again after segments came or went, so that only the damage meant is found."""
    begin = 0
    for at, segment in enumerate(segments):
        if segment[0] == "ST":
            begin = at
        elif segment[0] == "SE":
            segment[1] = str(at - begin + 1)


def drop(segments: Segments, *start: str) -> int:
    at = first(segments, *start)
    del segments[at]
    recount(segments)
    return at
