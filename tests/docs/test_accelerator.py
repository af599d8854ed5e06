"""docs/accelerator.md against the sources it describes."""

import re
from collections import Counter
from pathlib import Path

from vaqf.files.paths import HLS_INCLUDE
from vaqf.hardware.command import FIELDS, MAX_COMMANDS, Dest, Opcode, Source
from vaqf.hardware.config import MIN_INTERVAL
from vaqf.hardware.design import WEIGHT_PORTS
from vaqf.hardware.layout import ALIGN, STATUS_BYTES
from vaqf.hardware.registers import REGISTERS, WORD_BYTES
from vaqf.project.blob import Blob

DOC = (Path(__file__).parents[2] / "docs/accelerator.md").read_text()
LABEL = re.compile(r"^\s*(\w+_loop):\n\s*(?:for|while) ", re.MULTILINE)
PIPELINED = re.compile(r"#pragma HLS PIPELINE II = (\w+)")


def loops() -> tuple[Counter[tuple[str, str, str]], set[tuple[str, str]]]:
    """(header, label, ii) of each pipelined loop; (header, label) of those not unrolled either."""
    pipelined: Counter[tuple[str, str, str]] = Counter()
    plain = set()
    for header in (HLS_INCLUDE / "vaqf").glob("*.hpp"):
        text = header.read_text()
        for match in LABEL.finditer(text):
            body = text[match.end() :].split("{", 1)[1]
            pragma = body.lstrip().splitlines()[0]
            asked = PIPELINED.match(pragma)
            if asked:
                pipelined[header.stem, match[1], asked[1]] += 1
            elif not pragma.startswith("#pragma HLS UNROLL"):
                plain.add((header.stem, match[1]))
    return pipelined, plain


def test_the_command_table_is_the_command_format() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| (\d+):(\d+) \| (.*) \|$", DOC, re.MULTILINE)
    told = [(name, int(word), int(high), int(low)) for name, word, high, low, _ in rows]
    assert told == [(f.name, f.word, f.low + f.bits - 1, f.low) for f in FIELDS]
    signed = {name for name, *_, meaning in rows if meaning.startswith("signed")}
    assert signed == {f.name for f in FIELDS if f.signed}


def test_every_code_is_told() -> None:
    meaning = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", DOC, re.MULTILINE))
    for field, codes in (("opcode", Opcode), ("source", Source), ("dest", Dest)):
        assert sorted(map(int, re.findall(r"(?<!\S)\d", meaning[field]))) == sorted(codes)
    (kinds,) = re.findall(r"\| 4-7 \| kind: (.*) \|", DOC)
    told = {int(code): name for code, name in re.findall(r"(\d) (\w+)", kinds)}
    assert told == {int(kind): kind.name.lower() for kind in Blob}


def test_the_register_tables_are_the_registers() -> None:
    told = re.findall(
        r"^\| (0x[^|]*) \| `([\w.]+)` \| (\S+) \| (.*) \| (.*) \|$", DOC, re.MULTILINE
    )
    assert told == [
        (
            f"{one.address:#05x}" + (f" + {WORD_BYTES} * i" if one.count > 1 else ""),
            f"{one.name}.{field.name}" if one.structured else one.name,
            f"{field.low + field.bits - 1}:{field.low}",
            field.access.value,
            field.meaning,
        )
        for one in REGISTERS
        for field in one.fields
    ]


def test_every_pipelined_loop_has_its_row() -> None:
    rows = re.findall(r"^\| (\w+) \| `(\w+_loop)`(?: \(`\w+`\))? \| (\w+) \|", DOC, re.MULTILINE)
    assert Counter(rows) == loops()[0]


def test_every_loop_that_is_not_pipelined_is_named() -> None:
    (listed,) = re.findall(r"Not pipelined.*?above: (.*?)\.\nEvery other", DOC, re.DOTALL)
    told = set()
    for part in listed.split(";"):
        names = re.findall(r"`(\w+)`", part)
        headers = re.findall(r"\b(\w+)\b", part.split("`")[0].replace("in", " ", 1))
        told |= {(h, n) for h in headers if h not in ("in", "and") for n in names}
    assert told == loops()[1]


def test_numbers_of_the_text() -> None:
    assert f"`max(n_words, {MIN_INTERVAL}) * planes`" in DOC
    assert f"or more than {MAX_COMMANDS} |" in DOC
    assert f"a status block of {STATUS_BYTES} bytes" in DOC
    assert f"multiples of {ALIGN} bytes" in DOC
    *some, last = WEIGHT_PORTS
    assert f"weight_ports is {', '.join(map(str, some))} or {last}." in DOC
