"""In the place of every file that any verb reads: a pipe, a device, a folder, 1 GB, a dead link.

Each is one sentence and exit code 2, without waiting, without taking memory, with nothing written.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import cosim_project
import pytest
import torch
import yaml
from PIL import Image
from safetensors.numpy import load_file, save_file
from samples import DIGITS_MODEL

from vaqf.cli import app
from vaqf.errors import ToolFailed
from vaqf.files import paths
from vaqf.quant.recipe import recipe

HUGE = 2**30  # bytes of a file
MEMORY = HUGE // 2  # that no refusal may take
ADDRESSES = 2**32  # what a reader without a bound gets before it fails

MODEL = "-m model.yaml -b zcu102"
TRAIN = "train -m model.yaml -d digits --act-bits 8 --epochs 1"
TREE = "train -m one_class.yaml -d tree --epochs 1"
SWEEP = "sweep -m model.yaml -d digits -b zcu102 --epochs 1 -o run --resume --act-bits"
NETWORK = "project/weights/network.safetensors"
BESIDE = "run/preprocessor_config.json"
HUB = "run/config.json"
# a file, and a command that reads it
READERS = [
    ("model.yaml", f"estimate {MODEL}"),
    ("board.yaml", "estimate -m model.yaml -b board.yaml"),
    ("design.json", f"estimate {MODEL} --design design.json"),
    ("model.yaml", f"build {MODEL} -o new"),
    ("design.json", f"build {MODEL} --design design.json -o new"),
    (NETWORK, f"build -b zcu102 --weights {NETWORK} -o new"),
    ("run/w1a8.float.safetensors", f"build {MODEL} --weights run/w1a8.float.safetensors -o new"),
    ("float.pth", f"build {MODEL} --weights float.pth -o new"),
    (BESIDE, f"build {MODEL} --weights run/foreign.safetensors -o new"),
    (HUB, f"build {MODEL} --weights run/foreign.safetensors -o new"),
    ("picture.png", f"build {MODEL} --data picture.png -o new"),
    ("pictures/only.png", f"build {MODEL} --data pictures -o new"),
    ("classes/a/only.png", "build -m one_class.yaml -b zcu102 --data classes -o new"),
    ("project/manifest.json", f"build {MODEL} -o project"),
    ("recipe.yaml", f"{TRAIN} --recipe recipe.yaml -o new.pt"),
    ("run/w1a8.float.safetensors", f"{TRAIN} --teacher run/w1a8.float.safetensors -o new.pt"),
    ("float.pth", f"{TRAIN} --teacher float.pth -o new.pt"),
    (BESIDE, f"{TRAIN} --teacher run/foreign.safetensors -o new.pt"),
    ("run/w1a8.pt", f"{TRAIN} --resume -o run/w1a8.pt"),
    ("tree/train/a/only.png", f"{TREE} -o new.pt"),
    ("tree/val/a/only.png", f"{TREE} -o new.pt"),
    ("shards/train-0.tar", f"{TRAIN} -d shards -o new.pt"),
    ("shards/val-0.tar", f"{TRAIN} -d shards -o new.pt"),
    ("shards/train.json", f"{TRAIN} -d shards -o new.pt"),
    ("run/w1a8.pt", f"{SWEEP} 8"),
    ("run/w1a8.float.safetensors", f"{SWEEP} 8,6"),
    ("run/w1a8.pt", "export run/w1a8.pt -o new.safetensors"),
    (NETWORK, f"evaluate {NETWORK}"),
    ("run/w1a8.float.safetensors", f"evaluate {NETWORK} --float run/w1a8.float.safetensors"),
    ("float.pth", f"evaluate {NETWORK} --float float.pth"),
    ("picture.png", f"evaluate {NETWORK} --data picture.png --out new.json"),
    ("labels.txt", f"evaluate {NETWORK} --data pictures --labels labels.txt"),
    ("shards/val-0.tar", f"evaluate {NETWORK} --data shards"),
    ("shards/val-0.tar", f"evaluate {NETWORK} --data shards/val-0.tar"),
    ("shards/val.json", f"evaluate {NETWORK} --data shards"),
    ("shards/val-0.tar", f"build {MODEL} --data shards -o new"),
    ("shards/val-0.tar", "csim project --data shards"),
    ("picture.png", "predict project picture.png"),
    ("project/manifest.json", "predict project picture.png"),
    (NETWORK, "predict project picture.png"),
    ("board.yaml", "synth project --board board.yaml"),
    ("verilog/top.v", "cosim project --rtl verilog"),
    ("verilog/part.v", "cosim project --rtl verilog"),
    ("verilog/table.dat", "cosim project --rtl verilog"),
    *(
        (f"project/{part}", f"{verb} project")
        for part, verbs in {
            "manifest.json": ("csim", "cosim", "synth", "place"),
            "design.json": ("csim --data digits", "cosim", "synth", "place"),
            "weights/network.safetensors": ("csim", "cosim"),
            "weights/weights.bin": ("csim", "cosim"),
            "weights/commands.bin": ("csim", "cosim"),
            "golden/images.bin": ("csim", "cosim"),
            "golden/logits.bin": ("csim", "cosim"),
            "golden/layers.bin": ("csim", "cosim"),
            "golden/labels.json": ("csim", "cosim"),
            "report/estimate.json": ("cosim",),
            "hls/Makefile": ("csim",),
            "hls/testbench.cpp": ("csim",),
            "hls/include/vaqf/engine.hpp": ("csim",),
            "rtl/vaqf_pkg.sv": ("cosim", "synth"),
            "rtl/ring.sv": ("cosim", "synth", "place"),
            "rtl/vaqf_accelerator.f": ("cosim",),
        }.items()
        for verb in verbs
    ),
]


def pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def zeros(path: Path, _: Path) -> None:
    path.symlink_to("/dev/zero")


def null(path: Path, _: Path) -> None:
    path.symlink_to("/dev/null")


def folder(path: Path, _: Path) -> None:
    path.mkdir()


def huge(path: Path, _: Path) -> None:
    with path.open("wb") as file:
        file.truncate(HUGE)  # a hole: it takes no room


def dead_link(path: Path, _: Path) -> None:
    path.symlink_to(path.parent / "absent")


def locked(path: Path, good: Path) -> None:
    shutil.copyfile(good, path)
    path.chmod(0)


KINDS = [pipe, zeros, null, folder, huge, dead_link, locked]
# there need not be such a file
FREE = {(f"shards/{split}.json", dead_link) for split in ("train", "val")}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder with every file that a verb reads."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        place = Path(name)
        cosim_project.build(place / "built").rename(place / "project")
        (place / "built/design.json").rename(place / "design.json")
        shutil.rmtree(place / "built")
        Path("model.yaml").write_text(yaml.safe_dump(DIGITS_MODEL))
        Path("labels.txt").write_text("only.png 0\n")
        Path("one_class.yaml").write_text(yaml.safe_dump(DIGITS_MODEL | {"classes": 1}))
        shutil.copy(paths.BOARDS / "zcu102.yaml", "board.yaml")
        shutil.copy(recipe.FOLDER / "one_shot.yaml", "recipe.yaml")
        for only in ("pictures", "classes/a", "tree/train/a", "tree/val/a"):
            Path(only).mkdir(parents=True)
            Image.new("L", (20, 30), 99).save(Path(only) / "only.png")
        shutil.copy("pictures/only.png", "picture.png")
        Path("verilog").mkdir()
        Path("verilog/top.v").write_text("module vaqf_accelerator;\nendmodule\n")
        Path("verilog/part.v").write_text("module part;\nendmodule\n")
        Path("verilog/table.dat").write_text("0\n")
        shards(Path("shards"))
        Path("run").mkdir()
        for words in (f"{TRAIN} -o run/w1a8.pt", f"{SWEEP} 8"):
            assert app.main([*words.split(), "--quiet"]) == 0
        settings = {"size": 8, "resample": 3, "image_mean": [0.5], "image_std": [0.5]}
        Path(BESIDE).write_text(json.dumps(settings))
        Path(HUB).write_text("{}")
        weights = load_file("run/w1a8.float.safetensors")
        save_file(weights, "run/foreign.safetensors")  # vaqf minds no such file beside its own
        torch.save({key: torch.from_numpy(value) for key, value in weights.items()}, "float.pth")
        yield place


def shards(place: Path) -> None:
    place.mkdir()
    for split in ("train", "val"):
        with tarfile.open(place / f"{split}-0.tar", "w") as tar:
            for name, content in (
                ("0.png", Path("picture.png").read_bytes()),
                ("0.cls", b"0"),
            ):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, BytesIO(content))
        (place / f"{split}.json").write_text(json.dumps({"images": 1, "classes": 10}))


@pytest.fixture(autouse=True)
def nothing_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command whose files can be read ends where its work would begin."""

    def begun(*_: object, **__: object) -> None:
        raise ToolFailed("work has begun")

    for work in (
        "vaqf.sim.csim.compile_kernel",
        "vaqf.sim.cosim.launch.compile_model",
        "vaqf.sim.synth.units.cut",
        "vaqf.sim.yowasp.run",
        "vaqf.project.write.write_project",
        "vaqf.quant.training.run.Run.run",
    ):
        monkeypatch.setattr(work, begun)


@contextlib.contextmanager
def instead(path: Path, make: Callable[[Path, Path], None]) -> Iterator[None]:
    """Something else in the place of a file, for a while."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as aside:
        kept = path.rename(Path(aside) / path.name)
        try:
            make(path, kept)
            yield
        finally:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            kept.rename(path)


# frees whoever waits for a writer of a pipe, and tells of it; ends with its standard input
WATCHER = """
import os, select, sys
waited = False
while not select.select([0], [], [], 0.02)[0]:
    try:
        os.close(os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK))
        waited = True
    except OSError:  # nobody reads
        pass
sys.exit(waited)
"""


@contextlib.contextmanager
def nobody_waits(path: Path) -> Iterator[None]:
    """A process of its own watches a pipe: who waits for it may hold this one's interpreter."""
    words = [sys.executable, "-I", "-S", "-c", WATCHER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as watcher:
        try:
            yield
        finally:
            assert watcher.stdin is not None
            watcher.stdin.close()
            assert watcher.wait() == 0, "a pipe was opened"


def kilobytes(entry: str) -> int:
    """A line of /proc/self/status."""
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{entry}:")[2].split()[0])


@contextlib.contextmanager
def little_memory() -> Iterator[None]:
    """A block that takes less than MEMORY; one without a bound fails before the machine does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before = kilobytes("VmRSS")
    resource.setrlimit(resource.RLIMIT_AS, (1024 * kilobytes("VmSize") + ADDRESSES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert 1024 * (kilobytes("VmHWM") - before) < MEMORY


class Capabilities(ctypes.Structure):
    """What the kernel keeps of a thread's rights: two words of each, the first with files' own."""

    _fields_ = [(name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable")]


@contextlib.contextmanager
def like_other_users() -> Iterator[None]:
    """Root may read what nobody may, by two capabilities that this thread lays down for a while."""
    kernel = ctypes.CDLL(None, use_errno=True)
    thread = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3; this one
    rights = (Capabilities * 2)()
    assert kernel.capget(thread, rights) == 0
    had = rights[0].effective
    try:
        rights[0].effective = had & ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        assert kernel.capset(thread, rights) == 0
        yield
    finally:
        rights[0].effective = had
        assert kernel.capset(thread, rights) == 0


def names(place: Path) -> list[str]:
    return sorted(str(path) for path in place.rglob("*"))


@pytest.mark.parametrize(
    ("file", "line", "kind"),
    [(*reader, kind) for reader in READERS for kind in KINDS if (reader[0], kind) not in FREE],
    ids=lambda value: getattr(value, "__name__", str(value).replace("/", ".")),
)
def test_a_file_that_is_none(
    home: Path,
    capsys: pytest.CaptureFixture[str],
    file: str,
    line: str,
    kind: Callable[[Path, Path], None],
) -> None:
    path = home / file
    guards = contextlib.ExitStack()
    with instead(path, kind), guards:
        before = names(home)
        guards.enter_context(little_memory())
        if kind is pipe:
            guards.enter_context(nobody_waits(path))
        if kind is locked:
            guards.enter_context(like_other_users())
        code = app.main(line.split())
        assert names(home) == before
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert path.name in err or path.parent.name in err


@pytest.mark.parametrize("line", sorted({line for _, line in READERS}))
def test_the_same_command_reads_good_files(home: Path, line: str) -> None:
    try:
        assert app.main(line.split()) in (0, ToolFailed.exit_code)
    finally:
        for made in home.glob("new*"):
            made.unlink()
