"""The lines and the table of a co-simulation."""

from typing import TYPE_CHECKING

from vaqf.cli.show.tables import console, number, table
from vaqf.cli.words import count, share, told

if TYPE_CHECKING:
    from vaqf.verbs.cosim import Cosimulated


def cosim(result: "Cosimulated", quiet: bool) -> None:
    """What differs from golden, and the cycles beside the estimate's."""
    run = result.result
    of_first = f", {count(run.layers, 'layer')} of the first" if run.layers else ""
    print(
        f"{count(run.frames, 'image')} ({result.images_are}){of_first}: "
        f"{count(run.mismatches, 'mismatch')} ({run.compile_seconds:.1f} s to compile, "
        f"{run.run_seconds:.1f} s to run)"
    )
    for finding in run.findings:
        print(f"  {finding}")
    for line in told(result.unreadable, result.notes):
        print(line)
    if run.edited:
        print(f"not as vaqf build wrote it: {', '.join(run.edited)}")
    if result.correct is not None and not run.mismatches:
        print(f"{share(result.correct, run.frames)} images correct")
    if run.waveform is not None:
        print(f"wrote {run.waveform}")
    cycles = run.cycles
    if cycles is None:
        return
    print(
        f"{number(cycles.frame)} cycles per frame ({cycles.frame_is}), estimate "
        f"{number(cycles.estimated)}: {cycles.frame / cycles.estimated:.3f} of it"
    )
    if quiet or not cycles.commands:
        return
    rows = [
        (
            one.layer,
            number(one.measured),
            number(one.estimated),
            f"{one.measured / one.estimated:.3f}" if one.estimated else "-",
        )
        for one in cycles.commands
    ]
    columns = ("command", ">RTL", ">estimate", ">RTL / estimate")
    console().print(table("Cycles from start to end of each command", columns, rows))
