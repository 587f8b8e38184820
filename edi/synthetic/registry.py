"""The registry of named corruptions, and helpers to edit segments."""

from collections.abc import Callable

from edi.synthetic.renderer import Segment

ExpectedProblem = tuple[str, int | None, str | None]  # code, segment, element
Expectation = tuple[list[ExpectedProblem], tuple[str, ...]]  # problems that must be found; codes that may be found too
Segments = list[Segment]
Corruption = Callable[[Segments], Expectation]


class Registry(dict[str, Corruption]):
    """Corruptions by name; each edits segments in place and returns what a reader has to find."""

    def register(self, name: str) -> Callable[[Corruption], Corruption]:
        """Return a decorator that adds a corruption under this name."""

        def add(corruption: Corruption) -> Corruption:
            self[name] = corruption
            return corruption

        return add


def find_first(segments: Segments, *start: str) -> int:
    """Return the index of the first segment that begins with these elements."""
    return next(index for index, segment in enumerate(segments) if segment[: len(start)] == list(start))


def update_counts(segments: Segments) -> None:
    """Correct the counts in SE after segments were added or removed, so that only the intended damage is found."""
    start = 0
    for index, segment in enumerate(segments):
        if segment[0] == "ST":
            start = index
        elif segment[0] == "SE":
            segment[1] = str(index - start + 1)


def remove_first(segments: Segments, *start: str) -> int:
    """Remove the first segment that begins with these elements, and return its index."""
    index = find_first(segments, *start)
    del segments[index]
    update_counts(segments)
    return index


def insert_segment(segments: Segments, index: int, segment: Segment) -> None:
    segments.insert(index, segment)
    update_counts(segments)
