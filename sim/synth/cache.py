"""What was synthesized before, by the hash of all that it depends on.

In a unit's own text all parameters and constants are resolved: so the next design, and the next
state of the sources, pays for what is new.
"""

import contextlib
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files import places, smallfile
from vaqf.hardware.family import Family
from vaqf.sim.synth import netlist, yosys
from vaqf.sim.synth.netlist import Json
from vaqf.sim.synth.units import Unit, ports, with_cells

SCHEMA = 2  # of remembered units
# of one, packed and not; a larger unit is synthesized again
MAX_KEPT_BYTES, MAX_NETLIST_BYTES = 2**26, 2**30


def folder() -> Path | None:
    """In the user's own cache; None without one."""
    return places.cache("yosys")


def keys(tree: Mapping[str, Unit], family: Family) -> dict[str, str]:
    """The hash of all that each unit's synthesis depends on; of equal units it is the same.

    Of the units inside it depends on their ports. Names of units are no part of it, nor the
    numbers that Yosys gives as they come.
    """
    sides = {name: hashlib.sha256(ports(unit).encode()).hexdigest() for name, unit in tree.items()}
    found = {}
    for name, unit in tree.items():
        text = _renumbered(with_cells(unit.text, sides))
        text = f"{SCHEMA} {yosys.version()} {family.yosys} {yosys.DELAY_PS} {yosys.FLAGS}\n{text}"
        found[name] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _renumbered(text: str) -> str:
    """The numbers in Yosys' own names, in the order in which they come."""
    numbers: dict[str, str] = {}
    return re.sub(r"\$(\d+)", lambda m: "$" + numbers.setdefault(m[1], str(len(numbers))), text)


def read(kept: Path | None, key: str) -> Json | None:
    """A unit synthesized before; anything that is no such file was never written by us."""
    if kept is None:
        return None
    try:
        content = smallfile.read(kept / f"{key}.json.z", MAX_KEPT_BYTES, "a remembered netlist")
        unpacking = zlib.decompressobj()
        module = json.loads(unpacking.decompress(content, MAX_NETLIST_BYTES))
        netlist.count(module)
        return module if unpacking.eof else None
    except (InputError, ValueError, KeyError, TypeError, AttributeError, zlib.error):
        return None


def write(kept: Path | None, key: str, module: Json) -> None:
    """A unit, to be read again."""
    if kept is not None:
        put(kept / f"{key}.json.z", zlib.compress(json.dumps(module).encode()))


def put(path: Path, content: bytes) -> None:
    """Written beside and renamed, so that another process sees all of it or nothing; a full disk
    or a folder that may not be written only costs the next run its time."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
