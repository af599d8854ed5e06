"""What an integer network, and the float model it comes from, say of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vaqf.evaluation import metrics
from vaqf.evaluation.answer import Agreement, Evaluation
from vaqf.images.data import Data
from vaqf.images.pictures import Labels, Pixels
from vaqf.model.vit import Vit
from vaqf.network.structure import Network
from vaqf.reporting import Report

BATCH = 64  # images read and run at a time: 10 MB of pixels at 224 x 224
Floats = Callable[[Pixels], NDArray[np.float32]]


def float_model(path: Path, vit: Vit) -> Floats:
    """The logits of a float model; ToolMissing without torch, InputError for a bad file."""
    from vaqf import quant

    quant.require()
    from vaqf.quant import inference

    model: Floats = inference.float_model(path, vit)
    return model


def run(
    network: Network,
    data: Data,
    teacher: tuple[str, Floats] | None,
    use_torch: bool,
    report: Report,
) -> Evaluation:
    """Run the integer network in batches, watching every quantizer; `teacher` (its name and its
    logits) sees the same images. `use_torch`: in torch, on a GPU if there is one; equal logits."""
    from vaqf.sim import golden, ranges

    if use_torch:
        from vaqf import quant

        quant.require()
        from vaqf.quant import inference

        tally, integers = ranges.Tally(network, inference.histogram), inference.integer_logits
    else:
        tally, integers = ranges.Tally(network), golden.run
    logits, confidence, float_classes, divergence = [], [], [], []
    labels: list[Labels] = []
    unreadable: dict[str, str] = {}
    report("images", 0, len(data))
    for number, images in enumerate(data.batches(BATCH), 1):
        unreadable |= images.unreadable
        if not len(images):
            continue
        logits.append(integers(network, images.pixels, record=tally.record))
        if images.labels is not None:
            labels.append(images.labels)
        logs = metrics.log_softmax(logits[-1] * network.logit_scale)
        confidence.append(metrics.confidence(logs))
        if teacher is not None:
            real = teacher[1](images.pixels)
            float_classes.append(golden.labels(real))
            divergence.append(metrics.divergence(metrics.log_softmax(real), logs))
        report("images", min(number * BATCH, len(data)), len(data))
    whole = np.concatenate(logits)
    return Evaluation(
        network=network,
        origin=data.origin,
        labels=np.concatenate(labels) if labels else None,
        unreadable=unreadable,
        notes=data.notes,
        logits=whole,
        classes=golden.labels(whole),
        confidence=np.concatenate(confidence),
        quantizers=tally.ranges(whole),
        float_model=None
        if teacher is None
        else Agreement(teacher[0], np.concatenate(float_classes), np.concatenate(divergence)),
    )
