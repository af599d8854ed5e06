"""Checks shared by the records a user can write: models, boards and designs."""

import difflib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from vaqf.errors import InputError

# digits of ours alone: int() and float() take those of every script, underscores and line breaks
_WHOLE = re.compile(r"[-+]?[0-9]{1,4000}")  # int() refuses more than 4,300
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOTHING: Mapping[str, Any] = {}
AUTO = "auto"  # a value that is chosen when all else is known
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


def some(names: Sequence[str], most: int = 5) -> str:
    """The first of some hostile names: "'a', 'b' and 4 more"."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more


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


@dataclass(frozen=True)
class Whole:
    """A whole number in [low, high], where high may name another field; true is no number."""

    low: int
    high: int | str

    def holds(self, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a value is allowed."""
        high = record[self.high] if isinstance(self.high, str) else self.high
        return type(value) is int and self.low <= value <= high

    def allowed(self, record: Mapping[str, Any] = _NOTHING) -> str:
        """What a value must be."""
        return f"a whole number, {self.low} to {_value(self.high, record)}"


@dataclass(frozen=True)
class Number:
    """A finite number in [low, high], where high may name another field; true is no number."""

    low: float
    high: float | str

    def holds(self, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a value is allowed."""
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return good and self.low <= value <= _value(self.high, record) and math.isfinite(value)

    def allowed(self, record: Mapping[str, Any] = _NOTHING) -> str:
        """What a value must be."""
        return f"a number, {self.low:g} to {_value(self.high, record):g}"


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def holds(self, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a value is allowed."""
        return type(value) is str and value in self.words

    def allowed(self, record: Mapping[str, Any] = _NOTHING) -> str:
        """What a value must be."""
        return f"one of {', '.join(self.words)}"


@dataclass(frozen=True)
class Auto:
    """What another rule allows, or the word auto."""

    rule: Whole | Number

    def holds(self, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a value is allowed."""
        return self.rule.holds(value, record) or (type(value) is str and value == AUTO)

    def allowed(self, record: Mapping[str, Any] = _NOTHING) -> str:
        """What a value must be."""
        return f"{self.rule.allowed(record)}, or {AUTO}"


@dataclass(frozen=True)
class Flag:
    """True or false, not a number or a word."""

    def holds(self, value: Any, record: Mapping[str, Any]) -> bool:
        """Whether a value is allowed."""
        return isinstance(value, bool)

    def allowed(self, record: Mapping[str, Any] = _NOTHING) -> str:
        """What a value must be."""
        return "true or false"


Rule = Whole | Number | Choice | Auto | Flag


def _value(bound: float | str, record: Mapping[str, Any]) -> float:
    return record[bound] if isinstance(bound, str) else bound


_RULES: dict[type[Any], dict[str, Rule]] = {}  # of the dataclasses that were asked for


def ruled(rule: Rule) -> dict[str, Rule]:
    """The metadata of a dataclass's field that has a rule: field(metadata=ruled(Whole(1, 8)))."""
    return {"rule": rule}


def rules(record: type[Any]) -> dict[str, Rule]:
    """The rules of a dataclass by field, in the order of its fields: what is allowed, told once."""
    if record not in _RULES:
        told = ((one.name, one.metadata.get("rule")) for one in fields(record))
        _RULES[record] = {name: rule for name, rule in told if rule is not None}
    return _RULES[record]


def check_rule(rule: Rule, value: Any, what: str, record: Mapping[str, Any] = _NOTHING) -> None:
    """InputError unless a value is allowed: what it is, and what it must be."""
    if not rule.holds(value, record):
        hint = ""
        if isinstance(rule, Choice) and isinstance(value, str):
            hint = nearest(value, rule.words)
        raise InputError(f"{what} is {shown(value)}{hint}; it must be {rule.allowed(record)}")


def check_fields(record: Any, where: str) -> None:
    """Every field of a dataclass that has a rule keeps it; a message begins with `where`."""
    values = vars(record)
    for name, rule in rules(type(record)).items():
        if not rule.holds(values[name], values):
            check_rule(rule, values[name], where + name, values)


def check_field(record: type[Any], name: str, value: Any) -> None:
    """A value keeps the rule of a field of a dataclass of which there is no record yet."""
    check_rule(rules(record)[name], value, name)


def check_whole(value: Any, what: str, low: int, high: int) -> None:
    """A whole number in [low, high]."""
    check_rule(Whole(low, high), value, what)


def check_choice(value: Any, what: str, allowed: Iterable[str]) -> None:
    """One of a few words."""
    check_rule(Choice(tuple(allowed)), value, what)


def check_target(fps: float | None) -> float | None:
    """A frame rate: a positive, finite number, or None for as fast as possible."""
    if fps is None:
        return None
    good = isinstance(fps, (int, float)) and not isinstance(fps, bool)
    if not good or not math.isfinite(fps) or fps <= 0:
        raise InputError(f"fps is {shown(fps)}; it must be a positive number, or max")
    return float(fps)
