"""The verb build: the search, then the whole project on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaqf.errors import Infeasible, InputError
from vaqf.reporting import Report, silent
from vaqf.verbs.arguments import load_board, load_design, load_model

if TYPE_CHECKING:
    from vaqf.images.images import Images
    from vaqf.network.structure import Network
    from vaqf.search.search import Search


@dataclass(frozen=True, eq=False)
class Built:
    """A project on disk and what went into it."""

    folder: Path
    search: Search
    network: Network
    images: Images
    notes: tuple[str, ...]  # what a person should know of weights and images
    left: tuple[
        str, ...
    ] = ()  # what was in the folder before and no build wrote: it is still there

    def to_json(self) -> dict[str, Any]:
        """The keys of an estimate, and where the project is."""
        return {
            **self.search.to_json(),
            "folder": str(self.folder),
            "weights": self.network.origin,
            "images": len(self.images),
            "data": self.images.origin,
            "unreadable": dict(self.images.unreadable),
            "animated": list(self.images.animated),
            "notes": list(self.notes),
            "left": list(self.left),
        }


def build(
    model: str | None = None,
    board: str | None = None,
    fps: float | None = None,
    act_bits: int | None = None,
    engine: str | None = None,
    clock_mhz: float | None = None,
    lut_budget: int | None = None,
    design: str | Path | None = None,
    weights: str | Path | None = None,
    data: str | None = None,
    images: int | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    labels: str | Path | None = None,
    weights_key: str | None = None,
    report: Report = silent,
) -> Built:
    """Search as `estimate` does, then write the whole project of the design it finds.

    `weights`: an integer network (which fixes model and precision), a float model (binarized
    and calibrated on `data`), or None for random ones from `seed` (None: 0). `weights_key`: which
    weights of a torch file that holds several. InputError where an argument contradicts what a
    file fixes, Infeasible for a target out of reach. `out` None names the folder
    vaqf_<model>_w1a<A>_<board>. In the folder of an earlier build its files are replaced, edited
    ones with `force` alone, and nothing else; any other folder is refused.
    """
    from vaqf.files import ours, output
    from vaqf.images import data as pictures
    from vaqf.project import write
    from vaqf.project.reference import Golden
    from vaqf.search import search
    from vaqf.search.question import PAPER, Question
    from vaqf.verbs import networks as choices

    if engine == PAPER:
        raise InputError("--engine paper is a model for vaqf estimate; build table or adder")
    if seed is not None and weights is not None:
        raise InputError(
            f"--seed {seed} is of random weights, and --weights gives some; leave it out"
        )
    path = None if weights is None else Path(weights)
    network = None if path is None else choices.trained(path)
    choices.check_key(weights_key, path is not None and network is None)
    said: tuple[str, ...] = ()
    if network is None:
        if path is not None and model is None:
            choices.check_no_checkpoint(path)
        vit, said = choices.as_described(path, load_model(model))
    else:
        _agree(network, model, act_bits)
        vit, act_bits = network.vit, network.act_bits
    question = Question(
        vit,
        load_board(board),
        fps,
        act_bits,
        engine,
        clock_mhz,
        lut_budget,
        load_design(design),
    )
    found = search.search(question)
    if not found.feasible:
        raise Infeasible(found.reason)
    bits = found.estimate.act_bits
    folder = Path(f"vaqf_{vit.name}_w1a{bits}_{found.estimate.board.name}" if out is None else out)
    output.check_folder(folder, force)
    chosen = pictures.load(data, vit, images, labels).read()
    pixels = chosen.pixels
    from vaqf.sim import golden

    if network is None:
        report("calibrating", 0, 1)
        if path is None:
            network = choices.from_seed(vit, bits, seed or 0)
        else:
            network, more = choices.from_float(path, weights_key, vit, bits, data)
            said = (*said, *more)
        report("calibrating", 1, 1)
    logits, layers = golden.with_layers(network, pixels, report)
    reference = Golden(pixels, chosen.labels, logits, layers, chosen.origin)
    with output.new_folder(folder, force) as partial:
        report("writing", 0, 1)
        write.write_project(partial, found, network, reference)
        report("writing", 1, 1)
    left = tuple(ours.others(folder))
    return Built(folder, found, network, chosen, (*said, *chosen.notes), left)


def _agree(network: Network, model: str | None, act_bits: int | None) -> None:
    """InputError where a flag contradicts a trained network's model or precision."""
    if model is not None and load_model(model) != network.vit:
        raise InputError(
            f"--model {model} contradicts --weights, which holds {network.vit.name}; leave it out"
        )
    if act_bits is not None and act_bits != network.act_bits:
        raise InputError(
            f"--act-bits {act_bits} contradicts --weights, which has {network.act_bits}-bit"
            " activations; leave it out"
        )
