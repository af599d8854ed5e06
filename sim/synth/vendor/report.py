"""The parts that Vivado's text reports share: a header of fields, tables between bars."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import shown

MAX_REPORT_BYTES = 2**24  # ours have some 100 kB
KNOWN = "Vivado 2020.2 to 2025.2"  # whose reports these parsers were written for
_FIELD = re.compile(r"\|\s*([A-Z][A-Za-z ]*?)\s*:(.*)")


@dataclass(frozen=True)
class Report:
    """One report: its name for messages, its lines, and the fields of its header."""

    path: Path
    lines: tuple[str, ...]
    header: Mapping[str, str]

    def wrong(self, what: str) -> InputError:
        """What to raise for a report that cannot be read as it is expected."""
        return InputError(
            f"{self.path} {what}; reports of {KNOWN} are read, as rtl/vivado.tcl writes them"
        )

    def check(self, top: str, part: str) -> None:
        """InputError unless the report is of this top module on this device."""
        design, device = self.header.get("Design", ""), self.header.get("Device", "")
        if design != top:
            raise self.wrong(f"is of the design {shown(design)}, not of {top}")
        if not _is_of(device, part):
            raise self.wrong(f"is of the device {shown(device)}, not of {part}")


def read(path: Path) -> tuple[bytes, Report]:
    """A report's bytes, and the same as text; InputError for what is no text file of its size."""
    content = smallfile.read(path, MAX_REPORT_BYTES, "a report of Vivado")
    # Vivado on Windows ends lines with CR and LF
    lines = tuple(content.decode(errors="replace").splitlines())
    header: dict[str, str] = {}
    for line in lines:
        if match := _FIELD.fullmatch(line):
            header.setdefault(match[1], match[2].strip())
        elif header and line.startswith("---"):
            break  # the rule below the header
    return content, Report(path, lines, header)


def _is_of(device: str, part: str) -> bool:
    """Whether a header's device may be this part.

    Of xczu9eg-ffvb1156-2-e headers have, by version and report, all of it, the same without
    dashes, without the grade or without the temperature, and 7z020clg400 for xc7z020clg400.
    """
    short, whole = _bare(device), _bare(part)
    return len(short) >= len("7z020") and whole.startswith(short)


def _bare(part: str) -> str:
    return part.lower().removeprefix("xc").replace("-", "")
