"""boards/*.yaml -> Board: what a device offers, each number with its source."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import paths, yamlfile
from vaqf.files.fields import (
    AUTO,
    Auto,
    Choice,
    Number,
    Whole,
    check_fields,
    check_keys,
    check_name,
    check_rule,
    folded,
    nearest,
    ruled,
    shown,
)
from vaqf.hardware.fabric import RESOURCES, Resources
from vaqf.hardware.family import OF_DEVICE, SERIES_7, Family

USABLE = Number(0.01, 1.0)  # a share of a resource that a design may take
MIN_CLOCK_MHZ = 1.0
DEFAULT_USABLE = {
    "lut": 0.75, "lutram": 0.80, "ff": 0.75, "dsp": 0.85, "bram36": 0.90, "uram": 0.90,
}  # fmt: skip
OPTIONAL = ("dies", "usable")
# of which generation a device is, its name says: AMD's begin with x, and a letter for their use
_PART = re.compile(r"x[a-z](7?)[A-Za-z0-9-]{2,40}", re.IGNORECASE)
# Versal, and UltraScale without a plus: primitives and delays that are not known here
_UNKNOWN = re.compile(r"x[a-z](v[cehmp]\d|[kv]u\d+(?![\dp]))", re.IGNORECASE)
_CITED = (
    "part", "family", "lut", "lutram", "ff", "dsp", "bram36", "uram",
    "dram_gbytes_per_s", "max_clock_mhz", "clock_mhz",
)  # fmt: skip


@dataclass(frozen=True)
class Board:
    """One board; every field is checked at construction and InputError names what is wrong."""

    name: str
    part: str
    family: str = field(metadata=ruled(Choice(tuple(OF_DEVICE))))
    lut: int = field(metadata=ruled(Whole(1, 10**8)))
    lutram: int = field(metadata=ruled(Whole(0, "lut")))  # LUTs usable as memory
    ff: int = field(metadata=ruled(Whole(1, 10**8)))
    dsp: int = field(metadata=ruled(Whole(0, 10**6)))
    bram36: int = field(metadata=ruled(Whole(0, 10**6)))
    uram: int = field(metadata=ruled(Whole(0, 10**6)))
    # peak, 1e9 bytes per second
    dram_gbytes_per_s: float = field(metadata=ruled(Number(0.001, 10_000.0)))
    max_clock_mhz: float = field(metadata=ruled(Number(MIN_CLOCK_MHZ, 2000.0)))
    # of every design that asks for no other; auto: what each meets (vaqf/clock)
    clock_mhz: float | str = field(metadata=ruled(Auto(Number(MIN_CLOCK_MHZ, "max_clock_mhz"))))
    source: Mapping[str, str]  # citation of every number
    dies: int = field(default=1, metadata=ruled(Whole(1, 16)))  # alike; a design stays on one
    usable: Mapping[str, float] = field(default_factory=dict)  # shares a design may take

    def __post_init__(self) -> None:
        check_name(self.name, "board: name")
        b = f"board {self.name}:"
        named = _PART.fullmatch(self.part) if isinstance(self.part, str) else None
        if named is None:
            raise InputError(
                f"{b} part is {shown(self.part)}; it must be a device such as xczu9eg-ffvb1156-2-e"
            )
        check_fields(self, f"{b} ")
        if bool(named[1]) != (self.generation is SERIES_7) or _UNKNOWN.match(self.part):
            raise InputError(
                f"{b} part is {shown(self.part)}, which is no device of the family {self.family};"
                " mend one of them"
            )
        self._check_sources()
        self._check_usable()

    def _check_sources(self) -> None:
        what = f"board {self.name}: source"
        if not isinstance(self.source, Mapping):
            raise InputError(f"{what} is {shown(self.source)}; it must name a citation per key")
        check_keys(self.source, ("name", *_CITED, "dies"), what)
        for key in (*_CITED, *(["dies"] if self.dies > 1 else [])):
            text = self.source.get(key)
            if not isinstance(text, str) or not text.strip() or not text.isprintable():
                raise InputError(f"{what} has no citation for {key}; give one line of text")

    def _check_usable(self) -> None:
        what = f"board {self.name}: usable"
        if not isinstance(self.usable, Mapping):
            raise InputError(f"{what} is {shown(self.usable)}; it must map resources to shares")
        check_keys(self.usable, RESOURCES, what)
        for key, share in self.usable.items():
            check_rule(USABLE, share, f"{what}.{key}")

    @property
    def generation(self) -> Family:
        """What the primitives of this device's family are."""
        return OF_DEVICE[self.family]

    def clock(self, clock_mhz: float | None) -> float | None:
        """The clock in MHz: the board's, if it has one, or one the device allows; InputError
        otherwise."""
        if clock_mhz is None:
            return None if self.clock_mhz == AUTO else float(self.clock_mhz)
        rule = Number(MIN_CLOCK_MHZ, self.max_clock_mhz)
        check_rule(rule, clock_mhz, f"clock_mhz on {self.name}")
        return float(clock_mhz)

    def available(self) -> Resources:
        """All of each resource that one design may reach: of one die, as no path between two has a
        register."""
        total = (self.lut, self.lutram, self.ff, self.dsp, self.bram36, self.uram)
        return Resources(*(of_all // self.dies for of_all in total))

    @property
    def resources(self) -> tuple[str, ...]:
        """What is told of this device, by name: all, less the UltraRAMs of one without any."""
        return tuple(key for key in RESOURCES if key != "uram" or self.uram)

    def budget(self) -> Resources:
        """What a design may use of each resource: the usable share, rounded down."""
        shares = {**DEFAULT_USABLE, **self.usable}
        all_of_it = self.available()
        return Resources(**{key: int(all_of_it[key] * shares[key]) for key in RESOURCES})


def names() -> list[str]:
    """The boards we know."""
    return sorted(path.stem for path in paths.BOARDS.glob("*.yaml"))


def load(text: str) -> Board:
    """A board by name (any case, dashes or underscores), or from a YAML file.

    InputError for an unknown name (the nearest is offered) or a file that is no valid board.
    """
    if not isinstance(text, str):
        raise InputError(f"--board is {shown(text)}; it must be a name or a YAML file")
    known = names()
    word = folded(text).replace("-", "_")
    if word in known:
        return _from_file(paths.BOARDS / f"{word}.yaml")
    if re.search(r"\.ya?ml$", text, re.IGNORECASE) or yamlfile.exists(text):
        return _from_file(Path(text))
    raise InputError(
        f"unknown board {shown(text)}{nearest(word, known)}; known are {', '.join(known)}, "
        "or give a YAML file"
    )


def _from_file(path: Path) -> Board:
    return from_mapping(yamlfile.read_mapping(path), str(path))


def from_mapping(content: Mapping[str, Any], where: str) -> Board:
    """A board from the keys of a YAML file; only OPTIONAL ones may be missing."""
    wanted = [f.name for f in fields(Board)]
    check_keys(content, wanted, where)
    missing = [key for key in wanted if key not in content and key not in OPTIONAL]
    if missing:
        raise InputError(
            f"{where} lacks {', '.join(missing)}; a board file has {', '.join(wanted)}"
        )
    return Board(**content)
