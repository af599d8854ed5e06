"""What training and a sweep gave."""

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.table import Table

from vaqf.cli.failure import one_line
from vaqf.cli.show.tables import Json, console
from vaqf.cli.words import count, share, skipped

if TYPE_CHECKING:
    from vaqf.verbs.train import Training


def training(result: "Training") -> None:
    """What training gave, and what to do next."""
    trained = result.trained
    print(f"{share(trained.correct, trained.images)} test images correct (integer network)")
    if trained.float_correct is None:
        print(f"checkpoint: {result.checkpoint}")
    else:
        teacher = share(trained.float_correct, trained.images)
        print(f"its float teacher: {teacher}; checkpoint: {result.checkpoint}")
    print(
        f"trained for {count(trained.epochs, 'epoch')}, batch {trained.recipe.batch},"
        f" augmentation {trained.recipe.augment}"
    )
    if trained.unreadable:
        print(one_line(skipped(trained.unreadable)))
    for note in trained.notes:
        print(one_line(f"note: {note}"))
    if result.search is not None:
        found = result.search.estimate
        print(
            f"w1a{result.act_bits} for {found.fps:,.1f} FPS (estimated) on {found.board.name};"
            f" network: {result.network}"
        )


def sweep(result: Json) -> None:
    """The points of a sweep, and where table and picture are."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    target = result["target_fps"]
    asked = [] if target is None else [f"meets {target:,.6g} FPS"]
    words = ["precision", "limited by", *asked, "pareto"]
    for name in (
        "precision",
        "accuracy %",
        "float %",
        "FPS (estimated)",
        "limited by",
        *asked,
        "pareto",
    ):
        table.add_column(name, justify="left" if name in words else "right")
    for point in result["points"]:
        real, fps = point["float_accuracy"], point["fps"]
        table.add_row(
            f"w1a{point['act_bits']}",
            f"{100 * point['accuracy']:.1f}",
            "" if real is None else f"{100 * real:.1f}",
            "no legal design" if fps is None else f"{fps:,.1f}",
            point["limited_by"],
            *(["yes" if point["feasible"] else "no"] if asked else []),
            "yes" if point["pareto"] else "",
        )
    print(f"{result['model']} on {result['board']}, recipe {result['recipe']}")
    console().print(table)
    for point in result["points"]:
        for note in point["notes"]:
            print(one_line(f"note: w1a{point['act_bits']}: {note}"))
    print(f"wrote {result['folder']}: sweep.csv, sweep.png, a checkpoint and a network each")
