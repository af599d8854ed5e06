"""Time of one training step: the w1a8 model beside the float one, in turns, in one process.

python benchmarks/train_step.py [--model deit_tiny] [--batch 16] [--threads 2] [--rounds 5]
                                [--device cpu|cuda] [--amp off|bf16] [--compile]

Forward, backward and AdamW; the teacher is not counted. Fails when the ratio of the medians is
above the bar: 2.5 on a CPU, 1.5 on a GPU.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch

from vaqf.model import zoo
from vaqf.quant.model.vit import BinaryStyle, FloatVit, QuantVit
from vaqf.quant.training.run import initialize
from vaqf.quant.training.stage import optimizer_of

BARS = {"cpu": 2.5, "cuda": 1.5}


def step_of(model: FloatVit, images: torch.Tensor, amp: bool, compiled: bool) -> Callable[[], None]:
    """One optimizer step of a model on images."""
    initialize(model)
    if isinstance(model, QuantVit):
        model.begin_binary(torch.Generator().manual_seed(0))
    model.to(images.device).train()
    optimizer = optimizer_of(model, 0.05)
    run = torch.compile(model) if compiled else model
    labels = torch.arange(len(images), device=images.device) % model.vit.classes

    def step() -> None:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=amp):
            logits = run(images)
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        if images.device.type == "cuda":
            torch.cuda.synchronize()

    return step


def main() -> None:
    """Medians, their ratio, images per second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="deit_tiny")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=sorted(BARS), default="cpu")
    parser.add_argument("--amp", choices=["off", "bf16"], default="off")
    parser.add_argument("--compile", action="store_true")
    chosen = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(chosen.threads)
    vit = zoo.load(chosen.model)
    shape = (chosen.batch, vit.image_size, vit.image_size, vit.channels)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, device=chosen.device)
    styles = {"float": FloatVit(vit), "w1a8": QuantVit(vit, 8, BinaryStyle(True, "learned"))}
    steps = {
        name: step_of(model, images, chosen.amp == "bf16", chosen.compile)
        for name, model in styles.items()
    }
    for step in steps.values():
        step()
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(chosen.rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    for name, median in medians.items():
        print(f"{name:6} {1000 * median:8.1f} ms a step, {chosen.batch / median:,.1f} images/s")
    ratio = medians["w1a8"] / medians["float"]
    bar = BARS[chosen.device]
    print(f"ratio  {ratio:.2f}, bar {bar} ({chosen.model}, batch {chosen.batch}, {chosen.device})")
    sys.exit(0 if ratio <= bar else 1)


if __name__ == "__main__":
    main()
