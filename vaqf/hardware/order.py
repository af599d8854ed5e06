"""The order of commands: phases of a frame, steps, frames in flight."""

from dataclasses import dataclass

ATTENTION = "attention"


@dataclass(frozen=True)
class Entry:
    """One command of the list."""

    kind: str  # embed, qkv, proj, fc1, fc2, head or attention
    block: int
    slot: int
    new_step: bool  # both engines are done before it starts


def phases(depth: int) -> list[list[tuple[str, int]]]:
    """The phases 0..L of one frame as (kind, block)."""
    found = [[("embed", 0), ("qkv", 0)]]
    for i in range(depth):
        last = ("head", i) if i + 1 == depth else ("qkv", i + 1)
        found.append([("proj", i), ("fc1", i), ("fc2", i), last])
    return found


def command_list(depth: int, frames: int) -> list[Entry]:
    """What runs again and again, in the order of vaqf/program/compile.py."""
    parts = phases(depth)
    found: list[Entry] = []

    def step(slot: int, phase: list[tuple[str, int]], layer: int | None) -> None:
        attention = [] if layer is None else [(ATTENTION, layer % depth)]
        other = frames - 1 - slot
        for i, (kind, block) in enumerate([*attention, *phase]):
            found.append(Entry(kind, block, other if kind == ATTENTION else slot, i == 0))

    if frames == 1:
        for i, phase in enumerate(parts):
            step(0, phase, None)
            if i < depth:
                step(0, [], i)
    else:
        for i in range(depth):
            phase = parts[depth] + parts[0] if i == 0 else parts[i]
            step(0, phase, i - 1)
            step(1, phase, i)
    return found


def layer_names(depth: int) -> tuple[list[list[str]], list[str]]:
    """Golden's layer names of every binary phase, and of the attention between."""

    def behind(i: int) -> list[str]:
        tail = "head" if i + 1 == depth else f"blocks.{i + 1}.attn.qkv"
        return [f"blocks.{i}.attn.proj", f"blocks.{i}.mlp.fc1", f"blocks.{i}.mlp.fc2", tail]

    phases = [["embed", "blocks.0.attn.qkv"], *(behind(i) for i in range(depth))]
    return phases, [f"blocks.{i}.attn.context" for i in range(depth)]
