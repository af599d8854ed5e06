"""Numbers in sentences."""


def count(number: int, what: str) -> str:
    """'1 image', '2 images', '0 mismatches'."""
    many = what + ("es" if what.endswith(("ch", "ss")) else "s")
    return f"{number:,} {what if number == 1 else many}"


def percent(part: float) -> str:
    """A share of one: '97.5 %'."""
    return f"{100 * part:.1f} %"


def share(part: int, whole: int) -> str:
    """'351 of 360 (97.5 %)'."""
    return f"{part} of {whole} ({100 * part / whole:.1f} %)"
