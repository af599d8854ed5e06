"""The processes that torchrun started: one run on several devices, or just this one.

gloo connects CPUs (tested with two processes), NCCL GPUs (not run: no machine with two was had).
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from vaqf.errors import InputError, VaqfError
from vaqf.files.fields import check_choice, shown, whole

Value = TypeVar("Value")
DEVICES = ("auto", "cpu", "cuda")
TORCHRUN = ("RANK", "MASTER_ADDR", "MASTER_PORT")  # in the environment of several processes


@dataclass(frozen=True)
class Processes:
    """This process among those of the run."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def wrapped(self, model: nn.Module) -> nn.Module:
        """The model with gradients averaged over all processes in the backward pass."""
        if self.world == 1:
            return model
        own = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=own, broadcast_buffers=False)

    @staticmethod
    def averaging(model: nn.Module, last: bool) -> AbstractContextManager[None]:
        """Gradients are averaged over processes in the last part of a step only."""
        if last or not isinstance(model, DistributedDataParallel):
            return nullcontext()
        return model.no_sync()

    def total(self, value: Tensor) -> Tensor:
        """The sum of a tensor over all processes, in place."""
        if self.world > 1:
            distributed.all_reduce(value)
        return value

    def largest(self, value: Tensor) -> Tensor:
        """The maximum of a tensor over all processes, in place."""
        if self.world > 1:
            distributed.all_reduce(value, distributed.ReduceOp.MAX)
        return value

    def gathered(self, value: Value) -> list[Value]:
        """The plain value of every process, by rank."""
        if self.world == 1:
            return [value]
        every: list[Value] = [value] * self.world
        distributed.all_gather_object(every, value)
        return every

    def first(self, work: Callable[[], Value]) -> Value:
        """What `work` gives on the leading process, on all of them; its error too."""
        result: list[Value | VaqfError | None] = [None]
        if self.leads:
            try:
                result = [work()]
            except VaqfError as error:
                result = [error]
        if self.world > 1:
            distributed.broadcast_object_list(result)
        if isinstance(result[0], VaqfError):
            raise result[0]
        return result[0]  # type: ignore[return-value]


def _device(wanted: str, local_rank: int) -> torch.device:
    check_choice(wanted, "device", DEVICES)
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: torch sees no GPU here; use cpu, or a CUDA build of torch")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    torch.cuda.set_device(local_rank)
    return torch.device("cuda", local_rank)


def _count(variable: str, default: int) -> int:
    """A whole number that torchrun gives in the environment."""
    text = os.environ.get(variable, str(default))
    count = whole(text)
    if count is None or count < 0:
        raise InputError(
            f"{variable} is {shown(text)} in the environment, where torchrun puts a number; start"
            " the run with torchrun, or unset it"
        )
    return count


def rank() -> int:
    """This process's number among those of torchrun; 0 without it."""
    return _count("RANK", 0)


def _world() -> int:
    """How many processes torchrun started; InputError for half of what it says of them."""
    world, own = _count("WORLD_SIZE", 1), rank()
    if own >= world:
        raise InputError(
            f"RANK is {own} and WORLD_SIZE {world} in the environment; start the run with torchrun,"
            " or unset them"
        )
    lacking = [name for name in TORCHRUN if name not in os.environ]
    if world > 1 and lacking and not distributed.is_initialized():
        raise InputError(
            f"WORLD_SIZE is {world} in the environment, without {lacking[0]}; start the run with"
            " torchrun, or unset it"
        )
    return world


@contextmanager
def join(device: str) -> Iterator[Processes]:
    """Connect to the other processes of torchrun while the block runs; alone without it."""
    world, local = _world(), _count("LOCAL_RANK", 0)
    place = _device(device, local)
    if world == 1 or distributed.is_initialized():  # a caller of ours has connected them
        yield Processes(rank(), world, place)
        return
    distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Processes(rank(), world, place)
    finally:
        distributed.destroy_process_group()
