"""One recipe at several precisions: what `vaqf sweep` trains.

All precisions learn from one float model. The first of them trains it, unless one is given.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from vaqf.arithmetic import widths
from vaqf.errors import InputError
from vaqf.files import lock, output
from vaqf.files.fields import check_whole
from vaqf.model.vit import Vit
from vaqf.network import networkfile
from vaqf.quant.data.sources import Data
from vaqf.quant.files.checkpoint import export
from vaqf.quant.recipe.recipe import Recipe
from vaqf.quant.report import draw, pareto, sweep_chart
from vaqf.quant.report.pareto import Point
from vaqf.quant.training.processes import join
from vaqf.quant.training.train import Trained, files, float_file, train
from vaqf.reporting import Log, Report, silent, unlogged

Speed = tuple[float, bool, str]  # FPS (0: no legal design), meets the target, limited by
TABLE, PICTURE = "sweep.csv", "sweep.png"
PRECISIONS = range(widths.MIN_ACT_BITS, widths.MAX_ACT_BITS + 1)


def checkpoint_file(folder: Path, act_bits: int) -> Path:
    """Where the checkpoint of one precision goes."""
    return folder / f"w1a{act_bits}.pt"


def sweep(
    vit: Vit,
    data: Data,
    folder: Path,
    recipe: Recipe,
    *,
    act_bits: Sequence[int],
    fps: Mapping[int, Speed],
    board: str,
    target_fps: float | None = None,
    seed: int = 0,
    teacher: Path | None = None,
    weights_key: str | None = None,
    device: str = "auto",
    resumed: bool = False,
    force: bool = False,
    report: Report = silent,
    log: Log = unlogged,
) -> list[Point]:
    """Train every precision of `act_bits`, the highest first, into `folder`.

    For each there are w1aA.pt, its log and its network w1aA.safetensors; sweep.csv and sweep.png
    are written anew after each, so an interrupted sweep leaves what it has, and with `resumed` goes
    on from there to the same end. fps: what the search says of each precision on the board.
    Under torchrun every process calls this.

    Raises InputError for a folder in use and for whatever vaqf.quant.training.train refuses.
    """
    if not act_bits:
        raise InputError("a sweep has no precisions; name some, such as 8,6,4")
    for bits in act_bits:
        check_whole(bits, "act_bits", PRECISIONS.start, PRECISIONS.stop - 1)
    order = sorted(set(act_bits), reverse=True)
    speeds = {bits: fps[bits] for bits in order}
    title = f"{vit.name} on {data.origin}, recipe {recipe.name}, seed {seed}"
    points: list[Point] = []
    with join(device) as here, ExitStack() as held:

        def take() -> None:
            _check_folder(folder, resumed, force, held)

        here.first(take)
        source = here.first(lambda: _source(folder, order))
        for bits in order:
            given = teacher
            if teacher is None and recipe.has_teacher and bits != source:
                given = _made(float_file(checkpoint_file(folder, source)))
            trained = train(
                vit,
                data,
                checkpoint_file(folder, bits),
                recipe,
                act_bits=bits,
                seed=seed,
                teacher=given,
                weights_key=weights_key if given == teacher else None,
                resumed=True,  # what the folder still has may be gone on with
                device=device,
                report=lambda what, done, of, bits=bits: report(f"w1a{bits} {what}", done, of),
                log=lambda line, bits=bits: log(f"w1a{bits} {line}"),
            )
            points.append(_point(folder, bits, trained, speeds[bits]))
            here.first(partial(_write, folder, points, title, board, target_fps))
    return points


def _check_folder(folder: Path, resumed: bool, force: bool, held: ExitStack) -> None:
    """The folder is new, empty, or a sweep to go on with; `force` clears an earlier one's runs.

    It is this sweep's alone until `held` ends.
    """
    with output.writing(folder):
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} exists and is no folder; name another with -o")
        folder.mkdir(parents=True, exist_ok=True)
        held.enter_context(lock.alone(folder / TABLE, "sweeps into"))
        if all(path.name.startswith(lock.PREFIX) for path in folder.iterdir()):
            return
        if not (resumed or force):
            raise InputError(
                f"{folder} exists and is not empty; --resume goes on with a sweep, --force starts"
                " it again, -o names another folder"
            )
        earlier = _earlier(folder, resumed)
        if not resumed:
            if not earlier:
                raise InputError(f"{folder} holds no sweep to start again; name another with -o")
            for file in earlier:
                file.unlink()


def _earlier(folder: Path, resumed: bool) -> list[Path]:
    """The files of an earlier sweep; InputError where one that would be replaced is none of ours.

    A resumed sweep goes on with its checkpoints, so each run looks at its own.
    """
    kinds = {folder / TABLE: pareto.is_table, folder / PICTURE: draw.is_picture}
    for out in (checkpoint_file(folder, bits) for bits in PRECISIONS):
        kinds |= {**files(out), out.with_suffix(".safetensors"): networkfile.is_network}
        if resumed:
            del kinds[out]
    for path, is_ours in kinds.items():
        output.check_file(path, True, is_ours)
    return [path for path in kinds if path.exists()]


def _source(folder: Path, order: Sequence[int]) -> int:
    """The precision whose run trains the float model, or has done so."""
    for bits in reversed(PRECISIONS):
        if float_file(checkpoint_file(folder, bits)).exists():
            return bits
    return order[0]


def _made(teacher: Path) -> Path:
    """The float model, which the run of its precision has written."""
    if not teacher.is_file():
        raise InputError(
            f"{teacher} is gone, and the other precisions learn from it; put it back, or start"
            " again with --force"
        )
    return teacher


def _point(folder: Path, act_bits: int, trained: Trained, speed: Speed) -> Point:
    rate, feasible, limited_by = speed
    checkpoint = checkpoint_file(folder, act_bits)
    return Point(
        act_bits=act_bits,
        correct=trained.correct,
        images=trained.images,
        fps=rate,
        feasible=feasible,
        limited_by=limited_by,
        checkpoint=checkpoint.name,
        network=checkpoint.with_suffix(".safetensors").name,
        float_correct=trained.float_correct,
        notes=trained.notes,
    )


def _write(
    folder: Path, points: Sequence[Point], title: str, board: str, target_fps: float | None
) -> None:
    """The network of the last point, then the table and the picture of all."""
    last = points[-1]
    with output.new_file(folder / last.network, True, networkfile.is_network) as file:
        file.write_bytes(networkfile.to_bytes(export(folder / last.checkpoint)))
    pareto.write_csv(points, folder / TABLE)
    chart = sweep_chart.chart(points, title, board, points[0].float_accuracy, target_fps)
    draw.draw(chart, folder / PICTURE)
