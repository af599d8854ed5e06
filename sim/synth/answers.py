"""What Yosys found of whole designs, kept to be shown beside another tool's numbers."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import vaqf
from vaqf.errors import InputError
from vaqf.files import smallfile
from vaqf.files.fields import Number
from vaqf.hardware.fabric import RESOURCES, Resources
from vaqf.sim.synth import cache
from vaqf.sim.synth.synthesize import Synthesis
from vaqf.sim.synth.timing.delays import SCENARIOS

MAX_ANSWER_BYTES = 2**12
_AMOUNT = Number(0, 1e9)


@dataclass(frozen=True)
class Answer:
    """Of one design on one part, before placement."""

    total: Resources
    worst_ns: dict[str, float]  # by scenario


def key(sources: Sequence[tuple[str, str]], part: str) -> str:
    """The hash of all that an answer depends on but the version of Yosys: the last one counts."""
    text = json.dumps([vaqf.__version__, part, list(sources)])
    return hashlib.sha256(text.encode()).hexdigest()


def keep(folder: Path | None, name: str, made: Synthesis) -> None:
    """To be read again; where nothing can be kept, it is not."""
    answer = {
        "total": {resource: made.total[resource] for resource in RESOURCES},
        "worst_ns": {one.scenario: one.worst_ns for one in made.timings},
    }
    if folder is not None:
        cache.put(folder / f"{name}.answer.json", json.dumps(answer).encode())


def read(folder: Path | None, name: str) -> Answer | None:
    """The last answer; None without one, and for a file that we did not write."""
    if folder is None:
        return None
    try:
        path = folder / f"{name}.answer.json"
        content = smallfile.read_object(path, MAX_ANSWER_BYTES, "a remembered answer")
        total, worst = content["total"], content["worst_ns"]
        if not worst.keys() <= set(SCENARIOS):
            return None
        if not all(_AMOUNT.holds(value, {}) for value in (*total.values(), *worst.values())):
            return None
        return Answer(Resources(**total), worst)
    except (InputError, KeyError, TypeError, AttributeError):
        return None
