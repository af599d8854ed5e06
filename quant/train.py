"""Quantization-aware training: a float teacher, then the binary model distilled from it.

1. The float model learns the labels (AdamW, cosine, label smoothing).
2. The binary model starts from the teacher's parameters, its quantizers from the scales that
   vaqf.calibrate observes, and learns the teacher's distribution alone (KL divergence).
Images are moved by up to one pixel (DeiT's augmentations make no sense at 8 x 8).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quant import saved
from quant.vit import FloatVit, QuantVit
from vaqf import arithmetic, calibrate, images, output
from vaqf.errors import InputError
from vaqf.fields import check_whole
from vaqf.integerize import binarize, binary_layers
from vaqf.vit import Vit

BATCH = 64
FLOAT_RATE = 3e-3
BINARY_RATE = 3e-3
WEIGHT_DECAY = 0.05  # of the teacher's matrices; latent binary weights are not decayed
LABEL_SMOOTHING = 0.1
TEMPERATURE = 2.0
WARM_UP = 0.05  # of the steps
TOKEN_STD = 0.02
MAX_EPOCHS = 100_000
THREADS = 1  # tensors this small gain nothing from a second thread, and the sums keep their order


@dataclass(frozen=True)
class Progress:
    """One epoch is done."""

    stage: str  # "float" or "binary"
    epoch: int  # 1..epochs
    epochs: int  # of this stage
    loss: float  # mean over the epoch


@dataclass(frozen=True)
class Trained:
    """What came out, counted on the test images."""

    correct: int  # by the integer network
    images: int
    float_correct: int  # by the teacher

    @property
    def accuracy(self) -> float:
        """Share of test images that the integer network classifies correctly."""
        return self.correct / self.images


@contextmanager
def _deterministic(seed: int) -> Iterator[None]:
    """The same seed gives the same bits, whatever ran before; the caller's settings come back."""
    threads = torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        try:
            torch.manual_seed(seed)
            torch.set_num_threads(THREADS)
            torch.use_deterministic_algorithms(True)
            yield
        finally:
            torch.use_deterministic_algorithms(strict)
            torch.set_num_threads(threads)


def shifted(batch: Tensor) -> Tensor:
    """Each image [B, S, S, C] moved by up to one pixel each way; black comes in at the border.

    A fraction of a pixel is a blend of the image and its neighbour, so the result is real.
    """
    size = batch.shape[1]
    padded = functional.pad(batch, (0, 0, 1, 1, 1, 1))
    start = torch.randint(0, 3, (2, len(batch), 1))
    rows, columns = start + torch.arange(size)
    moved = padded[torch.arange(len(batch))[:, None, None], rows[:, :, None], columns[:, None, :]]
    share = torch.rand(len(batch), 1, 1, 1)
    return batch * (1 - share) + moved * share


def initialize(model: FloatVit) -> None:
    """Xavier's uniform matrices, small tokens, zero biases (timm's `jax` scheme)."""
    for name, parameter in model.named_parameters():
        if name.endswith(("token", "pos_embed")):
            torch.nn.init.trunc_normal_(parameter, std=TOKEN_STD)
        elif parameter.ndim > 1:
            torch.nn.init.xavier_uniform_(parameter.flatten(1))
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)


def _fit(
    model: FloatVit,
    data: tuple[Tensor, Tensor],
    loss_of: Callable[[Tensor, Tensor, Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    epochs: int,
    report: Callable[[int, float], None],
) -> None:
    """Epochs over shuffled, shifted batches under a warmed-up cosine."""
    pixels, labels = data
    batches = -(-len(labels) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=epochs * batches,
        pct_start=WARM_UP,
        cycle_momentum=False,
    )
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(labels)).split(BATCH):
            batch = shifted(pixels[chosen])
            loss = loss_of(batch, model(batch), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
        mean = total / len(labels)
        if not np.isfinite(mean):
            raise InputError(f"the loss is {mean} in epoch {epoch + 1}; train with another seed")
        report(epoch + 1, mean)


def _teacher(
    vit: Vit, data: tuple[Tensor, Tensor], epochs: int, report: Callable[[int, float], None]
) -> FloatVit:
    model = FloatVit(vit)
    initialize(model)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": vectors}]
    optimizer = torch.optim.AdamW(groups, lr=FLOAT_RATE, weight_decay=0.0)

    def loss_of(batch: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(logits, labels, label_smoothing=LABEL_SMOOTHING)

    _fit(model, data, loss_of, optimizer, epochs, report)
    return model.eval().requires_grad_(False)


def student(teacher: FloatVit, act_bits: int, pixels: NDArray[np.uint8]) -> QuantVit:
    """The binary model with the teacher's parameters and scales observed on the pixels."""
    vit, params = teacher.vit, teacher.params()
    binary = {name: binarize(params[f"{name}.weight"]) for name in binary_layers(vit)}
    model = QuantVit(vit, act_bits)
    model.load_params(params)
    model.set_scales(calibrate.scales(vit, act_bits, params, binary, pixels))
    return model


def _distil(
    model: QuantVit,
    teacher: FloatVit,
    data: tuple[Tensor, Tensor],
    epochs: int,
    report: Callable[[int, float], None],
) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=BINARY_RATE)

    def loss_of(batch: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            wanted = functional.log_softmax(teacher(batch) / TEMPERATURE, dim=-1)
        got = functional.log_softmax(logits / TEMPERATURE, dim=-1)
        distance = functional.kl_div(got, wanted, reduction="batchmean", log_target=True)
        return TEMPERATURE**2 * distance

    _fit(model, data, loss_of, optimizer, epochs, report)


@torch.no_grad()
def correct(model: FloatVit, pixels: Tensor, labels: Tensor) -> int:
    """Images that model.eval() classifies correctly; ties go to the lowest class."""
    logits = model.eval()(pixels).numpy()
    return int((logits.argmax(axis=-1) == labels.numpy()).sum())


def train(
    vit: Vit,
    data: str,
    out: Path,
    *,
    act_bits: int = arithmetic.DEFAULT_ACT_BITS,
    epochs: int,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train a w1aA model on `digits` and write its checkpoint to `out`.

    epochs: of each stage, the float teacher and the binary model. The file appears whole or not
    at all; an existing one is replaced only with `force`. Raises InputError for other data,
    numbers out of range, or a place that cannot be written.
    """
    check_whole(act_bits, "act_bits", arithmetic.MIN_ACT_BITS, arithmetic.MAX_ACT_BITS)
    check_whole(epochs, "epochs", 1, MAX_EPOCHS)
    check_whole(seed, "seed", 0, 2**63 - 1)
    if data.lower() != "digits":
        raise InputError(f"training data {data!r} is not known; this version trains on digits")

    def reporter(stage: str) -> Callable[[int, float], None]:
        def report(epoch: int, loss: float) -> None:
            if progress is not None:
                progress(Progress(stage, epoch, epochs, loss))

        return report

    pixels, labels = images.digits(vit, "train")
    learn = torch.from_numpy(pixels), torch.from_numpy(labels)
    judge = tuple(torch.from_numpy(part) for part in images.digits(vit, "test"))
    with output.new_file(out, force) as partial, _deterministic(seed):
        teacher = _teacher(vit, learn, epochs, reporter("float"))
        model = student(teacher, act_bits, pixels)
        _distil(model, teacher, learn, epochs, reporter("binary"))
        result = Trained(correct(model, *judge), len(judge[1]), correct(teacher, *judge))
        saved.write(partial, model, f"trained on digits, {epochs} epochs, seed {seed}")
    return result
