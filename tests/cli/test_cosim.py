"""vaqf cosim: a whole network in the RTL of a built project, and everything that can be wrong."""

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import cosim_project
import pytest
from answers import Captured, answer, sentence
from PIL import Image
from waiting import ended, wait_for

from vaqf.cli import app
from vaqf.cli.failure import one_line
from vaqf.hardware.command import COMMAND_WORDS, Dest, decode, encode
from vaqf.project import blob, read
from vaqf.project.blob import Blob
from vaqf.sim.cosim import launch, verilator
from vaqf.sim.cosim import model as rtl_model

LAYERS = 9  # of the small network
COMMAND = 4 * COMMAND_WORDS


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A project whose RTL is compiled, shared by all test processes."""
    root = tmp_path_factory.getbasetemp()
    home = (root if worker_id == "master" else root.parent) / "co sim's"  # as people name folders
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            found = cosim_project.build(home)
            assert app.main(["cosim", str(found), "--images", "1", "--quiet"]) == 0
            (home / "done").touch()
    return home / "project"


@pytest.fixture
def damaged(built: Path, tmp_path: Path) -> Path:
    """A copy to damage, with its compiled model."""
    return Path(shutil.copytree(built, tmp_path / "project"))


def commands(folder: Path) -> list[dict[str, int]]:
    payload = blob.read(folder / "weights/commands.bin", Blob.COMMANDS).payload
    return [decode(payload[at : at + COMMAND]) for at in range(0, len(payload), COMMAND)]


def rewrite(path: Path, payload: bytes) -> None:
    """Replace a blob's payload and its CRC."""
    data = path.read_bytes()
    _, kind, count, _, _, item = blob.BLOB_HEADER.unpack_from(data)
    path.write_bytes(blob.blob(Blob(kind), payload, count, item))


def change_command(folder: Path, index: int, **fields: int) -> None:
    listed = commands(folder)
    listed[index] |= fields
    rewrite(folder / "weights/commands.bin", b"".join(encode(command) for command in listed))


def test_every_layer_and_logit_of_an_odd_count_is_golden(built: Path, capsys: Captured) -> None:
    code, out, err = answer(capsys, "cosim", built, "--images", "5", "--layers")
    assert (code, err) == (0, "")
    assert f"5 images (digits, test split), {LAYERS} layers of the first: 0 mismatches" in out
    assert "cycles per frame (from the logits of frame 0 to those of frame 2, divided by 2)" in out
    assert "blocks.0.attn.context" in out


def test_an_even_count_with_memories_that_pause(built: Path, capsys: Captured) -> None:
    model = next((built / "rtl/build").glob("rtl-*/cosim_bench"))
    before = model.stat()
    runs = []
    for words in ([], ["--stalls", "7"], ["--stalls", "7"], ["--stalls", "8"]):
        code, out, err = answer(capsys, "cosim", built, "--images", "4", "--json", *words)
        assert (code, err) == (0, "")
        runs.append(json.loads(out))
    assert model.stat() == before  # nothing was compiled again
    assert [(run["images"], run["mismatches"], run["layers"]) for run in runs] == [(4, 0, 0)] * 4
    free, stalled, again, other = (run["cycles"]["run"] for run in runs)
    assert free < stalled == again != other
    answers = json.loads((built / "golden/labels.json").read_text())["golden"]
    assert runs[0]["classes"] == answers[:4]


def test_cycles_stand_beside_the_estimate(built: Path, capsys: Captured) -> None:
    _, out, _ = answer(capsys, "cosim", built, "--images", "5", "--json")
    cycles = json.loads(out)["cycles"]
    estimate = json.loads((built / "report/estimate.json").read_text())
    assert cycles["estimated_per_frame"] == estimate["cycles_per_frame"]
    assert cycles["per_frame"] == pytest.approx(cycles["estimated_per_frame"], rel=0.02)
    names = [command["layer"] for command in cycles["commands"]]
    block = ["attn.qkv", "attn.context", "attn.proj", "mlp.fc1", "mlp.fc2"]
    assert names == ["embed", *(f"blocks.0.{name}" for name in block), "head"]
    for command in cycles["commands"]:
        assert command["measured"] == pytest.approx(command["estimated"], rel=0.02), command


def test_other_images(built: Path, tmp_path: Path, capsys: Captured) -> None:
    Image.new("L", (20, 30), 99).save(tmp_path / "picture.png")
    words = ["cosim", built, "--data", tmp_path / "picture.png", "--layers"]
    code, out, _ = answer(capsys, *words)
    assert code == 0
    assert f"1 image (pictures), {LAYERS} layers of the first: 0 mismatches" in out


def test_a_wrong_logit_is_a_mismatch_with_its_place(damaged: Path, capsys: Captured) -> None:
    path = damaged / "golden/logits.bin"
    payload = bytearray(blob.read(path, Blob.LOGITS).payload)
    payload[4 * (2 * 10 + 7)] ^= 1  # image 2, class 7
    rewrite(path, bytes(payload))
    code, out, err = answer(capsys, "cosim", damaged, "--images", "3")
    assert code == 1
    assert "1 mismatch " in out
    assert "layer head, frame 2, class 7" in err
    assert "--layers" in err


def test_wrong_weights_are_found_in_their_layer(damaged: Path, capsys: Captured) -> None:
    fc1 = next(c for c in commands(damaged) if c["dest"] == Dest.HIDDEN)
    path = damaged / "weights/weights.bin"
    payload = bytearray(blob.read(path, Blob.WEIGHTS).payload)
    at = 64 * fc1["weight_offset"]
    payload[at : at + 64] = bytes(byte ^ 255 for byte in payload[at : at + 64])
    rewrite(path, bytes(payload))
    code, out, err = answer(capsys, "cosim", damaged, "--images", "1", "--layers")
    assert code == 1
    assert "layer blocks.0.mlp.fc1, token 0, channel " in err
    assert "blocks.0.norm2" not in out
    assert "blocks.0.mlp.fc2" in out  # and what follows from it


@pytest.mark.parametrize(
    "name",
    [f"weights/{name}.bin" for name in ("weights", "commands")]
    + [f"golden/{name}.bin" for name in ("images", "logits", "layers")],
)
def test_a_flipped_bit_is_refused_by_its_crc(damaged: Path, capsys: Captured, name: str) -> None:
    data = bytearray((damaged / name).read_bytes())
    data[-1] ^= 1
    (damaged / name).write_bytes(data)
    assert "CRC" in sentence(capsys, 2, "cosim", damaged)


def test_a_read_outside_the_memory_breaks_the_run(damaged: Path, capsys: Captured) -> None:
    index = next(i for i, c in enumerate(commands(damaged)) if c["dest"] == Dest.HIDDEN)
    change_command(damaged, index, weight_offset=2**20)
    err = sentence(capsys, 1, "cosim", damaged, "--images", "1")
    assert "the run broke off: " in err
    assert "weights: a read of" in err


def test_a_command_that_the_design_does_not_have(damaged: Path, capsys: Captured) -> None:
    change_command(damaged, 0, opcode=7)
    code, out, err = answer(capsys, "cosim", damaged, "--images", "1", "--json")
    assert (code, json.loads(out)["cycles"]) == (1, None)
    assert "the accelerator ended with status 1: command 0 asks for what the design" in err


def test_a_run_that_does_not_end(damaged: Path, capsys: Captured) -> None:
    path = damaged / "report/estimate.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cycles_per_frame": 1}))
    err = sentence(capsys, 5, "cosim", damaged, "--images", "2")
    assert "did not end within 80 cycles" in err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--images", "9999"], f"the project holds {cosim_project.IMAGES} images"),
        (["--images", "0"], "--images is 0; it must be at least 1"),
        (["--stalls", "-1"], "--stalls is -1"),
        (["--layers", "--rtl", "."], "leave out --layers or --rtl"),
        (["--rtl", "no/such"], "is no folder"),
        (["--rtl", "docs"], "no .v file there has the module vaqf_accelerator"),
        (["--data", "/no/such"], os.strerror(errno.ENOENT)),
    ],
)
def test_what_cannot_be_simulated(
    built: Path, capsys: Captured, words: list[str], expected: str
) -> None:
    assert expected in sentence(capsys, 2, "cosim", built, *words)


@pytest.mark.parametrize("name", ["ring.sv", "vaqf_pkg.sv", "vaqf_accelerator.f"])
def test_a_missing_source_is_named(damaged: Path, capsys: Captured, name: str) -> None:
    (damaged / "rtl" / name).unlink()
    assert f"rtl/{name} is missing" in sentence(capsys, 2, "cosim", damaged)


def test_a_file_list_that_leaves_the_folder(damaged: Path, capsys: Captured) -> None:
    (damaged / "rtl/vaqf_accelerator.f").write_text("/etc/passwd\n")
    assert "is no file" in sentence(capsys, 2, "cosim", damaged)


@pytest.mark.parametrize("content", ["[]", "{}", '{"layers": 1, "cycles_per_frame": "x"}'])
def test_a_damaged_estimate(damaged: Path, capsys: Captured, content: str) -> None:
    (damaged / "report/estimate.json").write_text(content)
    assert "build the project again" in sentence(capsys, 2, "cosim", damaged)


def test_rtl_that_does_not_compile_shows_the_tools_words(
    damaged: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = damaged / "rtl/ring.sv"
    path.write_text(path.read_text().replace("endmodule", "this is no SystemVerilog\nendmodule"))
    said: list[str] = []
    errors = launch.errors
    monkeypatch.setattr(launch, "errors", lambda log: said.append(errors(log)) or said[-1])
    err = sentence(capsys, 5, "cosim", damaged)
    assert err == f"error: {rtl_model.BENCH_TOP} could not be compiled: {one_line(said[0])}\n"
    assert [each.name for each in (damaged / "rtl/build").iterdir()] == [
        each.name for each in (damaged / "rtl/build").glob("rtl-*")
    ]


@pytest.mark.parametrize(
    ("log", "said"),
    [
        (
            "reads\n%Error: ring.sv:3: odd\n%Error: Exiting (see MMD.html)\nstops",
            "%Error: ring.sv:3: odd",
        ),
        ("reads\nkilled", "reads\nkilled"),
        (None, "no output"),
    ],
)
def test_the_lines_of_a_log_that_name_errors(log: str | None, said: str, tmp_path: Path) -> None:
    if log is not None:
        (tmp_path / "log").write_text(log)
    assert launch.errors(tmp_path / "log") == said


def test_without_a_compiler(
    built: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    err = sentence(capsys, 4, "cosim", built)
    assert "g++" in err
    assert "work without it" in err


def test_without_cocotb(built: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cocotb_tools.runner", None)
    assert "pip install 'vaqf[rtl]'" in sentence(capsys, 4, "cosim", built)


def test_an_interrupt_leaves_nothing(damaged: Path) -> None:
    build = damaged / "rtl/build"
    shutil.rmtree(build)
    words = [sys.executable, "-m", "vaqf", "cosim", str(damaged)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: any(build.glob("*/work/*.cpp")), process)
        process.send_signal(signal.SIGINT)
        _, err = ended(process)
    assert (process.returncode, err) == (130, "error: interrupted; nothing was left half-written\n")
    assert list(build.iterdir()) == []


def test_the_bench_has_no_warnings(built: Path, tmp_path: Path) -> None:
    vendor = cosim_project.stand_in(tmp_path / "verilog", 128)
    ours = rtl_model.rtl_sources(read.load(built))
    for kind, sources in (("rtl", ours), ("vendor", [ours[0], *sorted(vendor.iterdir())])):
        bench = [
            *sorted(rtl_model.BENCH.glob("*.sv")),
            *sorted((rtl_model.BENCH / kind).glob("*.sv")),
        ]
        strict = ["-Wall"] if kind == "rtl" else []  # the stand-in is no example of style
        words = ["--lint-only", *rtl_model.ARGUMENTS[kind], *strict, "--quiet", "--top-module"]
        done = subprocess.run(
            ["verilator", *words, rtl_model.BENCH_TOP, *map(str, [*sources, *bench])],
            capture_output=True,
            text=True,
            check=False,
            env=verilator.environment(),
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
def test_the_ports_that_vitis_hls_exports(damaged: Path, tmp_path: Path, capsys: Captured) -> None:
    weight_bits = 8 * read.load(damaged).design.weight_read_bytes
    verilog = cosim_project.stand_in(tmp_path / "verilog", weight_bits)
    words = ["cosim", damaged, "--images", "3", "--rtl", verilog, "--stalls", "1", "--json"]
    code, out, err = answer(capsys, *words)
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert (found["images"], found["mismatches"]) == (3, 0)
    assert found["cycles"]["commands"] == []


@pytest.mark.slow
def test_all_signals_can_be_written(damaged: Path, capsys: Captured) -> None:
    code, out, _ = answer(capsys, "cosim", damaged, "--images", "1", "--trace")
    assert code == 0
    assert f"wrote {damaged / 'cosim.vcd'}" in out
    text = (damaged / "cosim.vcd").read_text()
    assert "$var" in text
    assert "u_engine" in text


def test_a_select_outside_a_signal_is_an_error(damaged: Path, capsys: Captured) -> None:
    path = damaged / "rtl" / "requantize.sv"
    text = path.read_text()
    assert text.count("places[2:0]") == 1
    path.write_text(text.replace("places[2:0]", "places[6:4]"))
    code, _, err = answer(capsys, "cosim", damaged)
    assert code == 5
    assert "SELRANGE" in err and "requantize.sv" in err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("requantize.sv", "{places[5:3], 3'b000}", "{places[5:3], 3'b001}"),  # a constant
        ("axi_write.sv", "(wvalid && !(wready && wlast))", "(wvalid && !wready)"),  # a handshake
    ],
)
def test_a_change_of_the_rtl_is_noticed(
    damaged: Path, capsys: Captured, name: str, old: str, new: str
) -> None:
    path = damaged / "rtl" / name
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    code, out, err = answer(capsys, "cosim", damaged, "--images", "2")
    assert code == (1 if name == "requantize.sv" else 5), err  # the other one never ends
    assert code == 5 or f"not as vaqf build wrote it: rtl/{name}" in out


@pytest.mark.slow
def test_all_test_images_of_the_digits(tmp_path: Path, capsys: Captured) -> None:
    words = ["-m", "vit_digits", "-b", "zcu102", "--data", "digits", "-o", tmp_path / "p"]
    assert answer(capsys, "build", *words)[0] == 0
    code, out, _ = answer(capsys, "cosim", tmp_path / "p", "--layers")
    assert code == 0
    assert "360 images (digits, test split), 30 layers of the first: 0 mismatches" in out
