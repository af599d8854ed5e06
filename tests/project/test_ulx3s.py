"""A ULX3S around a small project: its numbers, and the host against a stand-in for the board."""

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import cosim_project
import pytest

from vaqf.errors import InputError
from vaqf.hardware import registers
from vaqf.project import read, ulx3s, ulx3s_host
from vaqf.project.ulx3s_host import WORDS, Accelerator, HostError
from vaqf.sim import yowasp
from vaqf.sim.place import nextpnr


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> ulx3s.Ulx3s:
    folder = cosim_project.build(tmp_path_factory.mktemp("home") / "small")
    return ulx3s.Ulx3s(read.load(folder))


@pytest.fixture
def folder(board: ulx3s.Ulx3s, tmp_path: Path) -> Path:
    ulx3s.write(board, tmp_path)
    return tmp_path


class Board:
    """What the host's program sees: registers and memories, and logits after a start."""

    def __init__(self, about: dict[str, Any], logits: list[list[int]]) -> None:
        self.about, self.logits = about, logits
        self.memory: dict[int, int] = {about["registers"]["design_id"]: about["design_id"]}
        self.answer = b""
        self.breaks = 0
        self.done = 0

    def send_break(self, duration: float) -> None:
        self.breaks += 1

    def write(self, data: bytes) -> None:
        asked, address, words = WORDS.unpack_from(data)
        if asked == ord("R"):
            assert len(data) == WORDS.size
            values = (self.memory.get(address + 4 * i, 0) for i in range(words))
            self.answer += struct.pack(f"<{words}I", *values)
            return
        for index, word in enumerate(struct.unpack(f"<{words}I", data[WORDS.size :])):
            self.memory[address + 4 * index] = word
        self.answer += b"K"
        if address == self.about["registers"]["control"]:
            self.run()

    def run(self) -> None:
        """A run to its end; `control.start` is 0 again."""
        names = self.about["registers"]
        self.memory[names["control"]] = 0
        count = self.memory[names["n_frames"]]
        self.memory[names["frames_done"]] = count
        for frame, row in enumerate(self.logits[self.done : self.done + count]):
            at = self.memory[names["results"]] + self.about["status_bytes"]
            for index, logit in enumerate(row):
                place = at + frame * self.about["logits_bytes"] + 4 * index
                self.memory[place] = logit & 0xFFFFFFFF
        self.done += count

    def read(self, count: int) -> bytes:
        found, self.answer = self.answer[:count], self.answer[count:]
        return found


@pytest.fixture
def line(board: ulx3s.Ulx3s) -> Board:
    logits = board.project.reference.logits.tolist()
    return Board(ulx3s.board_json(board) | {"frames": 4}, logits)


def test_the_host_runs_all_images(board: ulx3s.Ulx3s, line: Board) -> None:
    """More than the board holds at once, in two runs."""
    accelerator = Accelerator(line, line.about)
    accelerator.load(b"".join(board.project.commands), board.project.weights)
    reference = board.project.reference
    assert accelerator.run(reference.packed) == reference.logits.tolist()
    assert line.breaks == 1 and line.done == len(reference.logits) > line.about["frames"]
    for memory in board.memories[:3]:
        assert line.memory[registers.address(memory.name)] == memory.base
    weights = board.memories[1]
    count = len(board.project.weights) // 4
    found = (line.memory[weights.base + 4 * index] for index in range(count))
    assert struct.pack(f"<{count}I", *found) == board.project.weights


def test_the_host_says_what_went_wrong(line: Board) -> None:
    accelerator = Accelerator(line, line.about)
    names = line.about["registers"]
    line.memory[names["error"]], line.memory[names["stopped_at"]] = 3, 7
    with pytest.raises(HostError, match=r"command 7 with status 3: a memory answered"):
        accelerator.wait(1)
    line.memory[names["error"]] = 0
    with pytest.raises(HostError, match="0 frames done of 1"):
        accelerator.wait(1)
    line.memory[names["control"]] = line.about["masks"]["start"]
    with pytest.raises(HostError, match="did not end in 0 s"):
        accelerator.wait(1, 0.0)
    with pytest.raises(HostError, match="no multiple"):
        accelerator.run(b"12")
    with pytest.raises(HostError, match="their memory holds"):
        accelerator.start(bytes(2**20))
    line.memory[names["design_id"]] ^= 1
    with pytest.raises(HostError, match="configure it with the bitstream"):
        Accelerator(line, line.about)
    line.write = lambda data: None  # type: ignore[method-assign]
    with pytest.raises(HostError, match="answered with 0 bytes of 4"):
        accelerator.register("control")


def test_the_folder_is_whole(board: ulx3s.Ulx3s, folder: Path) -> None:
    assert ulx3s_host.payload(folder / "weights.bin") == board.project.weights
    assert ulx3s_host.payload(folder / "images.bin") == board.project.reference.packed
    about = json.loads((folder / "board.json").read_text())
    assert about == ulx3s.board_json(board)
    for name in (folder / "rtl/ulx3s.f").read_text().split():
        assert (folder / "rtl" / name).is_file()
    for name, memory in zip(("commands", "weights"), board.memories, strict=False):
        lines = (folder / f"{name}.hex").read_text().split()
        assert len(lines) == memory.lines
        content = b"".join(bytes.fromhex(line)[::-1] for line in lines)
        payload = ulx3s_host.payload(folder / f"{name}.bin")
        assert content[: len(payload)] == payload and not any(content[len(payload) :])
    (folder / "images.bin").write_bytes((folder / "images.bin").read_bytes()[:-1])
    with pytest.raises(HostError, match="damaged"):
        ulx3s_host.payload(folder / "images.bin")


def test_every_port_has_a_pad(folder: Path) -> None:
    text = (folder / "rtl/ulx3s.sv").read_text()
    header = text[text.index("module ulx3s (") : text.index(");")]
    ports = re.findall(r"(?:input|output)\s+logic\s+(?:\[7:0\] )?(\w+)", header)
    pads = re.findall(
        r'^LOCATE COMP "([^"]+)" SITE "\w+";$', (folder / "ulx3s.lpf").read_text(), re.M
    )
    assert sorted({pad.split("[")[0] for pad in pads}) == sorted(ports)
    assert len(pads) == len(set(pads)) == len(ports) + 7


def test_the_serial_line_is_exact_enough(board: ulx3s.Ulx3s) -> None:
    assert board.bit_cycles == 50
    with pytest.raises(InputError, match="give one such as 50 or 75"):
        ulx3s.Ulx3s(board.project, 12.5)


@pytest.mark.parametrize("clock_mhz", [50.0, 62.5, 80.0])
def test_the_pll_is_set_as_trellis_sets_it(clock_mhz: float, tmp_path: Path) -> None:
    code, said = yowasp.run(
        nextpnr.PACKAGE, "run_ecppll", ["-i", "25", "-o", str(clock_mhz)], tmp_path
    )
    assert code == 0
    text = "\n".join(said)
    names = ("Refclk divisor", "Feedback divisor", "clkout0 divisor")
    wanted = [int(re.findall(rf"{name}: (\d+)", text)[0]) for name in names]
    made = ulx3s.pll(clock_mhz)
    assert [made.divide, made.multiply, made.output_divide] == wanted


@pytest.mark.parametrize(
    "clock_mhz",
    [51.234567, 50.00001, 33.3333, 9.0, 400.0, 0.0, -50.0, math.nan, math.inf, 10**400, "50"],
)
def test_a_clock_that_the_pll_does_not_make(board: ulx3s.Ulx3s, clock_mhz: float) -> None:
    with pytest.raises(InputError, match=r"--clock-mhz is .* (a number, 10 to 200|such as 50)"):
        ulx3s.Ulx3s(board.project, clock_mhz)
