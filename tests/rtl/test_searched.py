"""Designs that the search finds, simulated: golden's logits, up to the last words of memories."""

import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml
from searched import COUNT, SOON, Answer, answer

import vaqf
from vaqf.hardware.config import constants, rtl_sizes
from vaqf.project import read, rtl
from vaqf.sim.cosim import run

LIGHT = 2048  # binary MACs a cycle of an array that is compiled within a minute
SIXTEEN_BITS = 2**16
# the highest address that was written in every memory of an accelerator, one line each
REACH = """
module reach #(
    parameter int DEPTH = 16
) (
    input logic clk,
    input logic write,
    input logic [sizes::index_bits(DEPTH)-1:0] write_address
);
  int highest;
  initial highest = -1;
  int file;
  always_ff @(posedge clk) begin
    if (write && int'(write_address) > highest) highest <= int'(write_address);
  end
  final begin
    file = $fopen("FILE", "a");
    $fdisplay(file, "%m %0d", highest);
    $fclose(file);
  end
endmodule
bind memory reach #(.DEPTH(DEPTH)) u_reach (.clk, .write, .write_address);
"""


def deepest(found: Answer) -> int:
    """Words of the deepest memory of activations."""
    sizes = rtl_sizes(found.design)
    return max(sizes[f"{name}_depth"] for name in ("residual", "hidden", "attention"))


def check_cosim(found: Answer, folder: Path) -> None:
    """One block of the model: all that lies in the memories has the size it has with all blocks."""
    model = asdict(replace(found.vit, name="one_block", depth=1))
    (folder / "model.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(model))))
    (folder / "design.json").write_text(json.dumps(found.design.to_json()))
    place = folder / "project"
    vaqf.build(
        model=str(folder / "model.yaml"),
        board=found.board.name,
        design=folder / "design.json",
        out=place,
    )
    reached = folder / "reached"
    (place / "rtl/reach.sv").write_text(REACH.replace("FILE", str(reached)))
    with (place / "rtl" / rtl.RTL_FILE_LIST).open("a") as files:
        files.write("reach.sv\n")
    result = run.run(read.load(place))
    assert (result.mismatches, result.findings) == (0, ()), found

    size = constants(found.design) | rtl_sizes(found.design)
    written: dict[str, int] = {}
    for line in reached.read_text().splitlines():
        path, highest = line.split()
        memory = re.findall(r"\.(?:g_(kv|q)\b|u_(hidden|residual|partial|requant)\b)", path)
        for name in filter(None, memory[0] if memory else ()):
            written[name] = max(written.get(name, -1), int(highest))
    assert {name: highest + 1 for name, highest in written.items()} == {
        "hidden": size["hidden_depth"],
        "residual": size["residual_depth"],
        "q": size["attention_depth"],
        "kv": size["attention_depth"],
        "partial": size["partial_words"],
        "requant": written["requant"] + 1,
    }, found
    assert written["requant"] + 1 >= size["output_words"], found


def chosen(answers: Sequence[Answer]) -> list[Answer]:
    """The three deepest of different models, two that add up single operands, three others."""
    light = [found for found in answers if found.design.macs_per_cycle <= LIGHT]
    random.Random(0).shuffle(light)
    deep = {found.vit: found for found in sorted(light, key=deepest)}
    picked = sorted(deep.values(), key=deepest)[-3:]
    single = [found for found in light if found.design.pe * found.design.run_words == 1]
    picked += single[:2]
    return picked + [found for found in light if found not in picked][:3]


def test_a_memory_of_more_words_than_sixteen_bits_count(tmp_path: Path) -> None:
    check_cosim(next(a for a in map(answer, SOON) if deepest(a) > SIXTEEN_BITS), tmp_path)


@pytest.mark.slow
def test_designs_compute_golden(tmp_path: Path) -> None:
    answers = [answer(number) for number in range(COUNT)]
    for number, found in enumerate(chosen(answers)):
        folder = tmp_path / str(number)
        folder.mkdir()
        check_cosim(found, folder)
