"""The options that verbs share, and how their words become numbers."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from vaqf.errors import InputError
from vaqf.files import fields
from vaqf.files.fields import shown
from vaqf.hardware.design import Design

Value = TypeVar("Value")
BITS = fields.rules(Design)["act_bits"]
SETS = "digits|mnist5k|shapes"  # of vaqf.images.sets, which would load numpy


def _complete_model(incomplete: str) -> list[str]:
    from vaqf.model import zoo

    return [name for name in zoo.names() if name.startswith(incomplete.lower())]


def _complete_board(incomplete: str) -> list[str]:
    from vaqf.hardware import board

    return [name for name in board.names() if name.startswith(incomplete.lower())]


# numbers arrive as text: their errors are then sentences of ours
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME|FILE",
        autocompletion=_complete_model,
        help="A model of `vaqf models`, a timm, Hugging Face or torchvision name, or a YAML file.",
    ),
]
BoardName = Annotated[
    str | None,
    typer.Option(
        "--board",
        "-b",
        metavar="NAME|FILE",
        autocompletion=_complete_board,
        help="A board of `vaqf boards`, or a YAML file.",
    ),
]
Fps = Annotated[
    str,
    typer.Option("--fps", metavar="N|max", help="Frames per second to reach; max: the most."),
]
ActBits = Annotated[
    str | None,
    typer.Option(
        "--act-bits", metavar="A", help=f"Pin the activation bits, {BITS.low} to {BITS.high}."
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="table|adder|paper",
        help="table (default): subset sums in LUTRAM; adder: add/subtract in LUTs; paper: a "
        "model of VAQF's accelerator, estimate only.",
    ),
]
Clock = Annotated[
    str | None,
    typer.Option(
        "--clock-mhz",
        metavar="MHZ",
        help="Clock; default: the board's or, where that is auto, what the design meets.",
    ),
]
LutBudget = Annotated[
    str | None,
    typer.Option("--lut-budget", metavar="N", help="Use at most N LUTs."),
]
DesignFile = Annotated[
    str | None,
    typer.Option("--design", metavar="FILE", help="Take this design.json; search nothing."),
]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        "-w",
        metavar="FILE",
        help="A network file of vaqf export, or a float model (.safetensors, .pth) to "
        "binarize; default: random weights from a seed.",
    ),
]
WeightsKey = Annotated[
    str | None,
    typer.Option(
        "--weights-key",
        metavar="KEY",
        help="Which weights of a torch file that holds several, as model or model_ema.",
    ),
]
Folder = Annotated[str, typer.Argument(metavar="DIR", help="A project of vaqf build.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="The answer only: no tables, no progress.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force", help="Replace what vaqf wrote there before, edited or not; never other files."
    ),
]
Out = Annotated[str | None, typer.Option("--out", "-o", metavar="PATH", help="Where to write.")]
ImageData = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar=f"{SETS}|PATH",
        help="The test images of a set by name, a folder of pictures (one folder per class: with "
        "labels) or of WebDataset shards, a picture, a shard; default: a synthetic image.",
    ),
]
LabelFile = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="The pictures' classes, in the place of class folders: lines `picture label`, a name"
        " or a number from 0.",
    ),
]
ImageCount = Annotated[
    str | None, typer.Option("--images", metavar="N", help="Use N of the images.")
]
TrainingData = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar=f"{SETS}|DIR",
        help="What to train on: scikit-learn's digits, 5,000 of MNIST, procedural shapes, a folder "
        "with train/ and val/ (one folder per class), or one with WebDataset shards "
        "(train-*.tar, val-*.tar).",
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe",
        metavar="NAME|FILE",
        help="best, vaqf_paper, one_shot, or a YAML file.",
    ),
]
Epochs = Annotated[
    str | None,
    typer.Option(
        "--epochs",
        metavar="N",
        help="Epochs of all stages together; default: by the number of images, at least 80.",
    ),
]
Seed = Annotated[
    str, typer.Option("--seed", metavar="N", help="The same seed gives the same network.")
]
Teacher = Annotated[
    str | None,
    typer.Option(
        "--teacher",
        metavar="FILE",
        help="A float model (timm's names) instead of training the float model first.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Replace a key of the recipe; may be repeated."
    ),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the checkpoint that is there, if any.")
]
Workers = Annotated[
    str, typer.Option("--workers", metavar="N", help="Processes that read pictures.")
]
Device = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda", help="auto: a GPU where there is one.")
]


def number(flag: str, text: str) -> float:
    """The value of a flag that takes a number."""
    value = fields.number(text)
    if value is None:
        raise InputError(f"{flag} is {shown(text)}; it must be a number")
    return value


def integer(flag: str, text: str) -> int:
    """The value of a flag that takes a whole number."""
    value = fields.whole(text)
    if value is None:
        raise InputError(f"{flag} is {shown(text)}; it must be a whole number")
    return value


def pairs(flag: str, words: list[str] | None) -> dict[str, str]:
    """The values of a flag that takes KEY=VALUE and may be repeated."""
    found = {}
    for word in words or []:
        key, equals, value = (part.strip() for part in word.partition("="))
        if not equals or not key or not value or not word.isprintable():
            raise InputError(f"{flag} is {shown(word)}; it must be KEY=VALUE, on one line")
        if key in found:
            raise InputError(f"{flag} says {shown(key)} twice; give it once")
        found[key] = value
    return found


def given(convert: Callable[[str, str], Value], flag: str, text: str | None) -> Value | None:
    """The value of a flag that may be absent."""
    return None if text is None else convert(flag, text)


def frame_rate(text: str) -> float | None:
    """--fps: None for max."""
    if fields.folded(text) == "max":
        return None
    value = fields.number(text)
    if value is None:
        raise InputError(f"--fps is {shown(text)}; it must be a number or max")
    return value
