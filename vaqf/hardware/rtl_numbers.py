"""The numbers that rtl/packages states: read there, so that nothing says them twice."""

import re
from functools import lru_cache

from vaqf.files.paths import RTL


@lru_cache(maxsize=8)
def _numbers(package: str) -> dict[str, str]:
    """Name -> numbers and other names, added up."""
    text = (RTL / "packages" / f"{package}.sv").read_text(encoding="utf-8")
    return dict(re.findall(r"localparam int (\w+) = ([\w +]+);", text))


@lru_cache(maxsize=256)
def number(package: str, name: str) -> int:
    """A constant of a package, by its name there."""
    terms = _numbers(package)[name].split(" + ")
    return sum(int(term) if term.isdecimal() else number(package, term) for term in terms)
