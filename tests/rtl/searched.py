"""Designs as users get them: answers of the search, chosen by numbers and not by us."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from vaqf.arithmetic import widths
from vaqf.hardware import board
from vaqf.hardware.board import Board
from vaqf.hardware.design import ENGINES, Design
from vaqf.model import zoo
from vaqf.model.vit import Vit
from vaqf.search.question import Question
from vaqf.search.search import search

COUNT = 60
BOARDS = [board.load(name) for name in board.names()]
BITS = (None, *range(widths.MIN_ACT_BITS, widths.MAX_ACT_BITS + 1))  # None: the highest
SPEEDS = 7  # targets from 1 FPS to the fastest, evenly on a logarithmic scale


@dataclass(frozen=True)
class Asked:
    """All of a question but the model."""

    board: Board
    engine: str
    act_bits: int | None
    speed: int  # of SPEEDS


@dataclass(frozen=True)
class Answer:
    """What the search found for one question."""

    vit: Vit
    board: Board
    target_fps: float
    design: Design

    def __str__(self) -> str:
        d = self.design
        shape = f"{d.engine} {d.tokens}x{d.pe}x{d.simd} A{d.act_bits}"
        return f"{self.vit.name} {self.board.name} {self.target_fps:.1f} FPS {shape}"


def question(number: int) -> Asked:
    """Boards, engines, precisions and speeds, each at a pace of its own."""
    return Asked(
        BOARDS[number % len(BOARDS)],
        ENGINES[number // len(BOARDS) % len(ENGINES)],
        BITS[(number // 2 + number // 16) % len(BITS)],
        number % SPEEDS,
    )


# those whose designs tools read within a second or two: slow ones for small devices
SOON = [
    number
    for number in range(COUNT)
    if question(number).speed < 2 and question(number).board.available()["lut"] < 500_000
]


def answer(number: int) -> Answer:
    """For the first model that fits, in a random order."""
    asked, rng = question(number), random.Random(number)
    return next(_answers(asked, rng.sample(zoo.names(), len(zoo.names()))))


def _answers(asked: Asked, models: list[str]) -> Iterator[Answer]:
    for model in map(zoo.load, models):
        most = Question(model, asked.board, None, asked.act_bits, asked.engine)
        fastest = search(most)
        if fastest.feasible:
            target = max(1.0, fastest.estimate.fps ** (asked.speed / (SPEEDS - 1)))
            found = search(replace(most, fps=target))
            assert found.feasible, found.reason
            yield Answer(model, asked.board, target, found.estimate.design)
