"""Checks shared by the records a user can write: models, boards and designs."""

import difflib
import math
import re
from collections.abc import Iterable
from typing import Any

from vaqf.errors import InputError

# digits of ours alone: int() and float() take those of every script, underscores and line breaks
_WHOLE = re.compile(r"[-+]?[0-9]{1,4000}")  # int() refuses more than 4,300
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")  # harmless in C++, TCL, a shell and a path


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean X?)' for the closest known word, or nothing."""
    close = difflib.get_close_matches(word.lower(), [k.lower() for k in known], n=1, cutoff=0.6)
    return f" (did you mean {close[0]}?)" if close else ""


def whole(text: str) -> int | None:
    """The whole number that a text is, in ASCII digits and a sign; None for anything else."""
    return int(text) if _WHOLE.fullmatch(text) else None


def number(text: str) -> float | None:
    """The number that a text is, in ASCII digits, sign, point and exponent; None otherwise."""
    return float(text) if _NUMBER.fullmatch(text) else None


def folded(word: str) -> str:
    """A word in lower case, to look it up; one with other letters than ours stays as it is.

    So no letter that only becomes one of ours (the Kelvin sign) finds a name, and nor does a word
    with a line break or a space around it.
    """
    return word.lower() if word.isascii() else word


def shown(value: object) -> str:
    """A hostile value as one short printable line."""
    text = " ".join(repr(value).splitlines())
    return text if len(text) <= 60 else text[:57] + "..."


def check_keys(given: Iterable[Any], known: Iterable[str], where: str) -> None:
    """Every given key is known; the nearest one is offered for a typo."""
    known = list(known)
    for key in given:
        if key not in known:
            hint = nearest(key, known) if isinstance(key, str) else ""
            raise InputError(
                f"{where} has the unknown key {shown(key)}{hint}; it may have {', '.join(known)}"
            )


def check_name(value: Any, what: str) -> None:
    """A name that can never act as code: letters, digits, dot, dash and underscore."""
    if not isinstance(value, str) or not _NAME.fullmatch(value) or not value.strip("."):
        raise InputError(
            f"{what} is {shown(value)}; it must be 1 to 64 letters, digits, dots, dashes or "
            "underscores"
        )


def check_whole(value: Any, what: str, low: int, high: int) -> None:
    """A whole number in [low, high]; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{what} is {shown(value)}; it must be a whole number, {low} to {high}")


def check_number(value: Any, what: str, low: float, high: float) -> None:
    """A finite number in [low, high]."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not low <= value <= high or not math.isfinite(value):
        raise InputError(f"{what} is {shown(value)}; it must be a number, {low:g} to {high:g}")


def check_flag(value: Any, what: str) -> None:
    """True or false, not a number or a word."""
    if not isinstance(value, bool):
        raise InputError(f"{what} is {shown(value)}; it must be true or false")


def check_choice(value: Any, what: str, allowed: Iterable[str]) -> None:
    """One of a few words."""
    allowed = list(allowed)
    if value not in allowed:
        hint = nearest(value, allowed) if isinstance(value, str) else ""
        raise InputError(f"{what} is {shown(value)}{hint}; it must be one of {', '.join(allowed)}")


def check_target(fps: float | None) -> float | None:
    """A frame rate: a positive, finite number, or None for as fast as possible."""
    if fps is None:
        return None
    good = isinstance(fps, (int, float)) and not isinstance(fps, bool)
    if not good or not math.isfinite(fps) or fps <= 0:
        raise InputError(f"fps is {shown(fps)}; it must be a positive number, or max")
    return float(fps)
