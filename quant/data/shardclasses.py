"""The classes of shards to learn from, and what to say of labels that do not fit the model."""

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from vaqf.errors import InputError
from vaqf.files.fields import nearest, shown, some
from vaqf.images.shardset import Counted, Index
from vaqf.model.vit import Vit


def why(problems: Mapping[str, str]) -> str:
    """The first reason, if there is one."""
    return "".join(f"; {name}: {why}" for name, why in islice(problems.items(), 1))


def names_or_number(root: Path, learn: Index | Counted, vit: Vit) -> tuple[str, ...] | int:
    """The names of the classes, or how many there are."""
    if isinstance(learn, Index):
        return learn.classes
    if not learn.names:
        return learn.highest + 1
    names = vit.class_names or tuple(sorted(learn.names))
    check_names(root, "train", learn, names, every=True)
    return names


def check_numbers(
    root: Path, learn: Counted, judge: Index | Counted, vit: Vit, problems: Mapping[str, str]
) -> None:
    """InputError unless class numbers go to the model's last one, with those that were found."""
    if learn.highest == vit.classes - 1:
        return
    found = f"train of {root} has {learn.numbers}"
    if isinstance(judge, Counted) and judge.highest >= 0:
        found += f", val has {judge.numbers}"
    advice = f"correct the labels, or give the model file classes: {learn.highest + 1}"
    if isinstance(judge, Counted) and judge.highest > learn.highest:
        advice = f"give train samples of every class of val, up to {judge.highest}"
    elif learn.lowest:
        advice = f"numbers begin at 0, so subtract {learn.lowest} from all"
    raise InputError(
        f"{found}, and {vit.name} tells {vit.classes} classes apart, 0 to {vit.classes - 1};"
        f" {advice}{why(problems)}"
    )


def check_one_kind(root: Path, learn: Index | Counted, judge: Counted) -> None:
    """InputError where one split has class names and the other class numbers."""
    if isinstance(learn, Counted) and bool(learn.names) != bool(judge.names):
        kinds = ("class names", "class numbers")
        first, second = kinds if learn.names else kinds[::-1]
        raise InputError(
            f"the labels of {root} are {first} in train and {second} in val; give both the same"
        )


def check_names(
    root: Path, split: str, counted: Counted, names: Sequence[str], *, every: bool
) -> None:
    """InputError for a label that is no class, and for a class without one where each needs it."""
    for name in sorted(counted.names - set(names)):
        raise InputError(
            f"{split} of {root} has the label {shown(name)}{nearest(name, names)}, which is no"
            f" class: they are {some(names)}; rename it in the shards, or in class_names of the"
            " model file"
        )
    absent = [name for name in names if name not in counted.names]
    if counted.names and every and absent:
        raise InputError(
            f"{split} of {root} has no sample of {len(absent)} of {len(names)} classes:"
            f" {some(absent)}; both splits need some of each"
        )
