"""A training recipe: the stages that a model goes through, from a small YAML file.

Every recipe is made of the same parts, so two recipes differ in nothing but their files.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from vaqf.errors import InputError
from vaqf.files import yamlfile
from vaqf.files.fields import (
    AUTO,
    Auto,
    Choice,
    Flag,
    Number,
    Whole,
    check_fields,
    check_keys,
    check_name,
    folded,
    nearest,
    ruled,
    shown,
)

FOLDER = Path(__file__).parent
MAX_STAGES = 8
SHARE = Number(0.0, 1.0)
WEIGHTS = ("real", "sign", "mask", "blend")
ACTIVATIONS = ("real", "quantized")
SCALES = ("tensor", "row", "learned")
ACT_SCALES = ("learned", "observed")
LOSSES = ("labels", "teacher")
POLICIES = ("none", "shift", "affine", "flip", "deit")  # of vaqf.quant.data.augment
AUGMENT = (AUTO, *POLICIES)
AMP = ("none", "bf16")  # not off: YAML reads that as false


@dataclass(frozen=True)
class Stage:
    """One stage. It starts from the parameters of the stage before it."""

    name: str
    # of the run's epochs, relative to the other stages' shares
    share: float = field(default=1.0, metadata=ruled(Number(1e-3, 1e3)))
    # top of its cosine, in units of the recipe's lr
    lr: float = field(default=1.0, metadata=ruled(Number(0.0, 1e3)))
    # teacher: KL divergence from the float model
    loss: str = field(default="labels", metadata=ruled(Choice(LOSSES)))
    # of the labels in the loss of a stage that learns from the teacher
    label_share: float = field(default=0.0, metadata=ruled(SHARE))
    # sign: binary; mask, blend: from real to binary, see BinaryGrid
    weights: str = field(default="real", metadata=ruled(Choice(WEIGHTS)))
    # share of the stage in which mask or blend goes from real to binary
    ramp: float = field(default=0.0, metadata=ruled(SHARE))
    activations: str = field(default="real", metadata=ruled(Choice(ACTIVATIONS)))
    # share of the stage in which activations go from 8 bits to theirs
    bits_ramp: float = field(default=0.0, metadata=ruled(SHARE))
    # decay of the moving average of the parameters; 0: none
    average: float = field(default=0.0, metadata=ruled(Number(0.0, 0.999999)))
    # last part of the stage, with the integer operators' forward
    integer_share: float = field(default=0.0, metadata=ruled(SHARE))
    # of matrices; of latent weights alone once weights are binary
    weight_decay: float = field(default=0.0, metadata=ruled(Number(0.0, 10.0)))

    def __post_init__(self) -> None:
        check_name(self.name, "recipe: the name of a stage")
        s = f"recipe: stage {self.name}:"
        check_fields(self, f"{s} ")
        if self.label_share and self.loss != "teacher":
            raise InputError(f"{s} label_share goes with loss teacher; loss labels has them alone")
        if self.real and self.activations == "quantized":
            raise InputError(
                f"{s} real weights go with real activations; weights must be sign, mask or blend"
            )
        if (self.weights in ("mask", "blend")) != (self.ramp > 0):
            raise InputError(
                f"{s} ramp is {self.ramp:g} and weights are {self.weights}; mask and blend need a"
                " ramp above 0, the others have none"
            )
        if self.activations == "real" and (self.bits_ramp or self.integer_share):
            raise InputError(f"{s} bits_ramp and integer_share need quantized activations")

    @property
    def real(self) -> bool:
        """Whether this stage trains the float model."""
        return self.weights == "real"


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. Every field is checked at construction: InputError.

    What is auto follows from the images: quant.training.defaults.
    """

    name: str
    stages: tuple[Stage, ...]
    about: str = ""
    # of all stages together
    epochs: int | str = field(default=AUTO, metadata=ruled(Auto(Whole(1, 100_000))))
    # images per optimizer step: all processes, all accumulated parts
    batch: int | str = field(default=AUTO, metadata=ruled(Auto(Whole(1, 2**20))))
    # parts of a process's share that go through the model one by one
    accumulate: int = field(default=1, metadata=ruled(Whole(1, 2**12)))
    # at least so many must take part
    processes: int = field(default=1, metadata=ruled(Whole(1, 2**12)))
    lr: float = field(default=3e-3, metadata=ruled(Number(1e-9, 10.0)))
    # share of each stage in which the learning rate rises
    warmup: float = field(default=0.05, metadata=ruled(SHARE))
    # of the labels
    smoothing: float = field(default=0.1, metadata=ruled(Number(0.0, 0.9)))
    # of the teacher's distribution
    temperature: float = field(default=2.0, metadata=ruled(Number(0.1, 100.0)))
    # alpha of their Beta(alpha, alpha); 0: none
    mixup: float = field(default=0.0, metadata=ruled(Number(0.0, 10.0)))
    cutmix: float = field(default=0.0, metadata=ruled(Number(0.0, 10.0)))
    # a policy of vaqf.quant.data.augment
    augment: str = field(default=AUTO, metadata=ruled(Choice(AUGMENT)))
    # largest norm of the gradient; 0: no limit
    clip: float = field(default=0.0, metadata=ruled(Number(0.0, 1e6)))
    amp: str = field(default="none", metadata=ruled(Choice(AMP)))
    compile: bool = field(default=False, metadata=ruled(Flag()))
    # subtract the row's mean before the sign
    centred: bool = field(default=False, metadata=ruled(Flag()))
    # of binary weights: mean|w| of the tensor or row, or a learned one per row
    scale: str = field(default="row", metadata=ruled(Choice(SCALES)))
    # observed: set anew from the training images in every epoch
    act_scales: str = field(default="learned", metadata=ruled(Choice(ACT_SCALES)))

    def __post_init__(self) -> None:
        check_name(self.name, "recipe: name")
        r = f"recipe {self.name}:"
        if not isinstance(self.about, str) or len(self.about) > 1000:
            raise InputError(f"{r} about is {shown(self.about)}; it must be a text")
        if not 1 <= len(self.stages) <= MAX_STAGES:
            raise InputError(f"{r} has {len(self.stages)} stages; it must have 1 to {MAX_STAGES}")
        check_fields(self, f"{r} ")
        self._check_order()

    def _check_order(self) -> None:
        r = f"recipe {self.name}:"
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise InputError(f"{r} two stages have one name; names are {', '.join(names)}")
        real = [stage.real for stage in self.stages]
        if real != sorted(real, reverse=True) or sum(real) > 1:
            raise InputError(f"{r} a stage with real weights can only be the first one")
        if self.stages[-1].activations != "quantized":
            raise InputError(f"{r} its last stage leaves activations real; they must end quantized")
        if any(stage.loss == "teacher" for stage in self.stages) and not real[0]:
            raise InputError(f"{r} loss teacher needs a first stage with real weights, the teacher")
        if real[0] and self.stages[0].loss == "teacher":
            raise InputError(f"{r} the float model is the teacher; it learns from labels")

    @property
    def has_teacher(self) -> bool:
        """Whether it begins with a float model, which --teacher can replace."""
        return self.stages[0].real

    def stage_epochs(self) -> tuple[int, ...]:
        """Epochs of every stage, at least one each; rounded so that they add up to `epochs`.

        They add up to the number of stages where that is more. `epochs` is a number by now.
        """
        count = len(self.stages)
        epochs = max(int(self.epochs), count)
        shares = [stage.share for stage in self.stages]
        ends = [0]
        for number, share in enumerate(itertools.accumulate(shares), 1):
            wanted = math.floor(epochs * share / sum(shares) + 0.5)
            ends.append(min(max(wanted, ends[-1] + 1), epochs - count + number))
        return tuple(b - a for a, b in itertools.pairwise(ends))

    def plain(self) -> dict[str, Any]:
        """The keys of its file."""
        return {**asdict(self), "stages": [asdict(stage) for stage in self.stages]}


def names() -> list[str]:
    """The recipes known by name."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(text: str) -> Recipe:
    """A recipe by name (any case) or from a YAML file; InputError for anything else."""
    if folded(text) in names():
        path = FOLDER / f"{folded(text)}.yaml"
    elif text.lower().endswith((".yaml", ".yml")):
        path = Path(text)
    else:
        raise InputError(
            f"unknown recipe {shown(text)}{nearest(text, names())}; known are"
            f" {', '.join(names())}, or give a YAML file"
        )
    return from_mapping(yamlfile.read_mapping(path), path.stem, str(path))


def from_mapping(content: Mapping[str, Any], default_name: str, where: str) -> Recipe:
    """A recipe from the keys of its file."""
    check_keys(content, [one.name for one in fields(Recipe)], where)
    stages = content.get("stages")
    if not isinstance(stages, list) or not all(isinstance(stage, dict) for stage in stages):
        raise InputError(f"{where}: stages is no list of mappings; a recipe needs its stages")
    known = [one.name for one in fields(Stage)]
    for stage in stages:
        check_keys(stage, known, f"{where}: a stage")
        if "name" not in stage:
            raise InputError(f"{where}: a stage has no name; give it one")
    parts = tuple(Stage(**stage) for stage in stages)
    return Recipe(**{"name": default_name, **content, "stages": parts})


def changed(recipe: Recipe, settings: Mapping[str, str]) -> Recipe:
    """The recipe with keys replaced by the words of --set; stages need a file of their own."""
    values: dict[str, Any] = {}
    own = {f.name: f.type for f in fields(Recipe) if f.name not in ("name", "about", "stages")}
    for key, word in settings.items():
        check_keys([key], own, "--set")
        values[key] = yamlfile.parse_mapping(f"{key}: {word}", f"--set {key}")[key]
    return replace(recipe, **values)
