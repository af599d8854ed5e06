"""Numbers and names in sentences."""

from collections.abc import Mapping, Sequence

from vaqf.cli.failure import one_line


def count(number: int, what: str) -> str:
    """'1 image', '2 epochs', '0 mismatches'."""
    many = what + ("es" if what.endswith(("tch", "ss")) else "s")
    return f"{number:,} {what if number == 1 else many}"


def left_out(reasons: Mapping[str, str]) -> str:
    """How many pictures were left out, and the first of them with the reason."""
    return f"left out, cannot be read: {count(len(reasons), 'picture')} ({_first(reasons)})"


def skipped(reasons: Mapping[str, str]) -> str:
    """The same of files that training went on without."""
    return f"skipped {count(len(reasons), 'file')} that cannot be read ({_first(reasons)})"


def _first(reasons: Mapping[str, str], most: int = 5) -> str:
    first = "; ".join(f"{name}: {why}" for name, why in list(reasons.items())[:most])
    return first + (f"; and {len(reasons) - most} more" if len(reasons) > most else "")


def told(reasons: Mapping[str, str], notes: Sequence[str]) -> list[str]:
    """What was left out of the images, and what a person should know of them."""
    lines = [left_out(reasons)] if reasons else []
    return [one_line(line) for line in (*lines, *(f"note: {note}" for note in notes))]


def percent(part: float) -> str:
    """A share of one: '97.5 %'."""
    return f"{100 * part:.1f} %"


def share(part: int, whole: int) -> str:
    """'351 of 360 (97.5 %)'."""
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"
