"""The order of commands: every frame runs in order, and the engines never share a slot."""

import pytest

from vaqf.hardware.command import MAX_COMMANDS
from vaqf.hardware.order import ATTENTION, Entry, command_list, commands, phases, result
from vaqf.model.layers import Kind
from vaqf.model.vit import MAX_DEPTH


def of_a_frame(depth: int) -> list[tuple[str, int]]:
    """What one frame runs through."""
    block = ("qkv", "context", "proj", "fc1", "fc2")
    blocks = [(kind, i) for i in range(depth) for kind in block]
    return [("embed", 0), *blocks, ("head", depth - 1)]


def steps_of(entries: tuple[Entry, ...]) -> list[list[Entry]]:
    """The list cut before every new step."""
    steps: list[list[Entry]] = []
    for entry in entries:
        if entry.new_step:
            steps.append([])
        steps[-1].append(entry)
    return steps


def test_phases_are_what_is_between_attention() -> None:
    words = [[f"{layer.kind}{layer.block}" for layer in phase] for phase in phases(2)]
    assert words == [
        ["embed0", "qkv0"],
        ["proj0", "fc10", "fc20", "qkv1"],
        ["proj1", "fc11", "fc21", "head1"],
    ]


def test_the_list_of_two_frames_in_flight() -> None:
    """Step by step: which block's attention works on which frame, under which phases."""
    found = [
        [(entry.kind.value, entry.block, entry.frame) for entry in step]
        for step in steps_of(command_list(2, 2))
    ]
    assert [step[0] for step in found] == [
        ("context", 1, -1),
        ("context", 0, 0),
        ("context", 0, 1),
        ("context", 1, 0),
    ]
    ended = [("proj", 1), ("fc1", 1), ("fc2", 1), ("head", 1)]
    between = [("proj", 0), ("fc1", 0), ("fc2", 0), ("qkv", 1)]
    begun = [("embed", 0), ("qkv", 0)]
    for step, slot in zip(found[:2], (0, 1), strict=True):
        assert step[1:5] == [(*work, slot - 2) for work in ended]
        assert step[5:] == [(*work, slot) for work in begun]
    for step, slot in zip(found[2:], (0, 1), strict=True):
        assert step[1:] == [(*work, slot) for work in between]


@pytest.mark.parametrize("frames_in_flight", [1, 2])
@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_every_frame_runs_in_order_and_no_two_engines_share_a_slot(
    depth: int, frames_in_flight: int
) -> None:
    steps = steps_of(command_list(depth, frames_in_flight))
    assert len(steps) == (2 * depth if frames_in_flight == 2 else 2 * depth + 1)
    for n_frames in range(1, 6):
        ran: dict[int, list[tuple[str, int]]] = {frame: [] for frame in range(n_frames)}
        slots: dict[int, list[int]] = {0: [], 1: []}  # of frames, as their work is done
        iterations = n_frames if frames_in_flight == 1 else (n_frames + 1) // 2 + 1
        for iteration in range(iterations):
            for step in steps:
                busy: dict[bool, set[int]] = {False: set(), True: set()}  # True: attention
                attentions = 0
                for entry in step:
                    frame = iteration * frames_in_flight + entry.frame
                    if not 0 <= frame < n_frames:
                        continue
                    slot = frame % frames_in_flight
                    assert entry.slot == slot
                    busy[entry.kind == ATTENTION].add(slot)
                    attentions += entry.kind == ATTENTION
                    slots[slot].append(frame)
                    ran[frame].append((entry.kind.value, entry.block))
                assert attentions <= 1 and len(busy[False]) <= 1
                assert not busy[False] & busy[True]
        assert all(sequence == of_a_frame(depth) for sequence in ran.values())
        for order in slots.values():
            assert order == sorted(order)  # a slot's frame ends before its next one starts


def test_the_command_list_holds_exactly_the_deepest_model() -> None:
    per_block = 2 * 5  # commands of a block, for both frames
    longest = len(command_list(MAX_DEPTH, 2))
    assert len(command_list(MAX_DEPTH, 1)) < longest
    assert longest <= MAX_COMMANDS < longest + per_block


def test_a_command_is_called_as_golden_calls_what_it_writes() -> None:
    assert [result(command) for command in commands(1)] == [
        "embed",
        "blocks.0.attn.qkv",
        "blocks.0.attn.context",
        "blocks.0.attn.proj",
        "blocks.0.mlp.fc1",
        "blocks.0.mlp.fc2",
        "head",
    ]
    assert ATTENTION is Kind.CONTEXT
