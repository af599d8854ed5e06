"""The emitted C++ on g++: one binary per design, shared by all test processes, many networks on it.

Tests get a `Bench` (compile) and what it makes: a `Kernel` (a design's binary) runs a `Data`
folder (what one network and its images are to that design).
"""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from samples import noise
from waiting import GUARD_SECONDS

from vaqf.hardware.design import Capacity, Design
from vaqf.hardware.matmuls import capacity_for, streamed_ring_words, total_weight_words
from vaqf.model.vit import Vit
from vaqf.network import calibrate, parameters
from vaqf.network.structure import Attention, Block, Linear, Network, Norm, Requant
from vaqf.program.compile import Program, compile_network
from vaqf.project import hls, reference, write
from vaqf.sim import golden

FAST_COMPILE = "-O1 -march=native"  # of small designs: compiling takes longer than running
SANITIZED = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
# AMD's constructors leave their value undefined, which g++ notes wherever it inlines them
QUIET = " -Wno-uninitialized -Wno-maybe-uninitialized"
FILES = ("weights", "commands", "images", "logits", "layers")


# -- networks ---------------------------------------------------------------------------------


def pictures(vit: Vit, count: int, seed: int):
    """Noise, uint8 [B, S, S, C]; the second one, if any, is black and white only."""
    images = noise(vit, count, seed)
    images[1:2] = np.where(images[1:2] > 127, 255, 0)
    return images


def calibrated(vit: Vit, act_bits: int, seed: int) -> Network:
    """Random float parameters through the real path: scales fit, little saturates."""
    params = parameters.random(vit, seed)
    return calibrate.calibrate(vit, act_bits, params, pictures(vit, 3, seed), "test")


def extreme(vit: Vit, act_bits: int, seed: int) -> Network:
    """Every integer drawn from its whole legal range: widths, signs and saturation are exercised.

    Gains are drawn around 1 in units of the output, so that results are neither all 0 nor all
    saturated.
    """
    rng = np.random.default_rng(seed)
    d, hidden = vit.dim, vit.hidden

    def requant(n: int, input_bits: int, output_bits: int) -> Requant:
        spread = input_bits - output_bits + int(rng.integers(-2, 3))
        shift = min(max(spread + 17, 0), 47)
        mult = rng.integers(-(2**17), 2**17, n).astype(np.int32)
        mult[: n // 8] = rng.choice([-(2**17), 2**17 - 1, 0, 1], n // 8)
        low = min(2 ** (output_bits + shift), 2**46)
        bias = rng.integers(-low, low, n, dtype=np.int64)
        limit = 2**47 - 2**43 - 1
        bias[-(n // 8) :] = rng.choice([-limit, limit, 0], n)[-(n // 8) :]
        return Requant(mult, bias, shift)

    def norm() -> Norm:
        return Norm(int(rng.choice([1, 2**40, rng.integers(1, 2**20)])), requant(d, 18, act_bits))

    def binary(n: int, k: int, output_bits: int) -> Linear:
        weight = rng.choice([-1, 1], (n, k)).astype(np.int8)
        weight[0], weight[-1] = 1, -1
        return Linear(weight, requant(n, act_bits + k.bit_length() // 2, output_bits))

    def fixed(n: int, k: int, output_bits: int, input_bits: int) -> Linear:
        weight = rng.integers(-128, 128, (n, k)).astype(np.int8)
        weight[0], weight[-1] = 127, -128
        return Linear(weight, requant(n, input_bits + 7 + k.bit_length() // 2, output_bits))

    def block() -> Block:
        return Block(
            norm1=norm(),
            qkv=binary(3 * d, d, act_bits),
            attention=Attention(
                score_mult=int(rng.integers(1, 2**18)),
                score_shift=int(rng.integers(0, 20)),
                context=requant(d, act_bits + 14, act_bits),
            ),
            proj=binary(d, d, 15),
            norm2=norm(),
            fc1=binary(hidden, d, 8),
            gelu=rng.integers(0, 2**act_bits, 256).astype(np.uint8),
            fc2=binary(d, hidden, 15),
        )

    return Network(
        vit=vit,
        act_bits=act_bits,
        origin="test",
        logit_scale=1.0,
        embed=fixed(d, vit.patch_inputs, 15, 8),
        position=rng.integers(-(2**15), 2**15, (vit.tokens, d)).astype(np.int16),
        blocks=tuple(block() for _ in range(vit.depth)),
        norm=norm(),
        head=fixed(vit.classes, vit.prefix_tokens * d, 23, act_bits),
    )


def saturated(vit: Vit, act_bits: int) -> Network:
    """Every accumulator, score and context sum at its largest magnitude, on white images."""
    base = extreme(vit, act_bits, 0)

    def full(requant: Requant) -> Requant:
        return replace(requant, mult=0 * requant.mult, bias=0 * requant.bias + 2**46, shift=20)

    def passing(requant: Requant, shift: int) -> Requant:
        ones = np.ones_like(requant.mult)
        return Requant(ones * (2**17 - 1), ones.astype(np.int64), shift)

    def aligned(linear: Linear, shift: int, low: int, high: int) -> Linear:
        sign = np.arange(len(linear.weight))[:, None] % 2
        weight = np.where(sign, low, high) * np.ones_like(linear.weight)
        return Linear(weight.astype(np.int8), passing(linear.requant, shift))

    def block(part: Block) -> Block:
        return Block(
            norm1=Norm(part.norm1.eps, full(part.norm1.requant)),
            qkv=aligned(part.qkv, 17, -1, 1),
            attention=Attention(2**18 - 1, 40, passing(part.attention.context, 20)),
            proj=aligned(part.proj, 24, -1, 1),
            norm2=Norm(part.norm2.eps, full(part.norm2.requant)),
            fc1=aligned(part.fc1, 17, -1, 1),
            gelu=np.full(256, 2**act_bits - 1, np.uint8),
            fc2=aligned(part.fc2, 26, -1, 1),
        )

    return replace(
        base,
        embed=aligned(base.embed, 30, -128, 127),
        blocks=tuple(block(part) for part in base.blocks),
        norm=Norm(base.norm.eps, full(base.norm.requant)),
        head=aligned(base.head, 20, -128, 127),
    )


def small_vit(**changes) -> Vit:
    """The network of tests that need just one."""
    base = {
        "name": "small",
        "image_size": 6,
        "patch_size": 2,
        "channels": 1,
        "dim": 20,
        "depth": 2,
        "heads": 2,
        "mlp_ratio": 2.0,
        "classes": 5,
    }
    channels = changes.get("channels", 1)
    return Vit(**{**base, "mean": (0.0,) * channels, "std": (1.0,) * channels, **changes})


def random_vit(seed: int, mlp_ratios: Sequence[float] = (1, 2, 3)) -> Vit:
    """Odd dims, 1 to 7 heads, depth 1 to 3, any token count; small enough for every design."""
    rng = np.random.default_rng(seed)
    heads = int(rng.integers(1, 8))
    head_dim = int(rng.integers(1, 14))
    patch = int(rng.choice([1, 2, 3, 5]))
    channels = int(rng.choice([1, 3]))
    grid = int(rng.integers(1, 6))
    return Vit(
        name=f"random_{seed}",
        image_size=patch * grid,
        patch_size=patch,
        channels=channels,
        dim=heads * head_dim,
        depth=int(rng.integers(1, 4)),
        heads=heads,
        mlp_ratio=float(rng.choice(mlp_ratios)),
        classes=int(rng.integers(1, 20)),
        distilled=bool(rng.integers(0, 2)),
        qkv_bias=bool(rng.integers(0, 2)),
        mean=(0.5,) * channels,
        std=(0.25,) * channels,
    )


# -- designs ----------------------------------------------------------------------------------


def design_for(vits: Sequence[Vit], **changes) -> Design:
    """A design that runs all these models; the smallest ring and capacity unless given."""
    base = {
        "engine": "table",
        "act_bits": 8,
        "tokens": 4,
        "pe": 4,
        "simd": 32,
        "attention_rows": 3,
        "attention_lanes": 8,
        "norm_tokens": 2,
        "frames_in_flight": 2,
        "share": 1,
        "weight_ports": 1,
        "resident": False,
    }
    values = {**base, **changes}
    act_bits, pe, simd = values["act_bits"], values["pe"], values["simd"]
    lanes = values["attention_lanes"]
    needs = [capacity_for(vit, act_bits, pe, simd, lanes) for vit in vits]
    capacity = Capacity(
        **{name: max(getattr(need, name) for need in needs) for name in vars(needs[0])}
    )
    words = total_weight_words if values["resident"] else streamed_ring_words
    ring = max(words(vit, act_bits, pe, simd, lanes) for vit in vits)
    return Design(**{"ring_words": ring, "capacity": capacity, **values})


# -- data and runs ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Data:
    """weights.bin, commands.bin, images.bin, logits.bin and layers.bin of one network."""

    folder: Path
    network: Network
    program: Program
    images: np.ndarray
    layers: dict[str, np.ndarray]

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.bin"

    def copy(self, folder: Path) -> "Data":
        """The same files in another folder, free to be damaged."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder)


def write_data(folder: Path, design: Design, network: Network, images) -> Data:
    """What `vaqf build` writes for the test bench."""
    folder.mkdir()
    compiled = compile_network(design, network)
    logits, layers = golden.with_layers(network, images)
    expected = reference.Golden(images, None, logits, layers, "test")
    write.write_program(compiled, folder)
    reference.write(folder, network, compiled, expected)
    return Data(folder, network, compiled, images, layers)


@dataclass(frozen=True)
class Run:
    """How a simulation ended."""

    code: int
    out: str
    err: str

    @property
    def first_layer(self) -> str | None:
        """The layer of the first mismatch."""
        for line in self.out.splitlines():
            if line.startswith("mismatch: layer "):
                return line.removeprefix("mismatch: layer ").split(",")[0].split(":")[0]
        return None


@dataclass(frozen=True)
class Kernel:
    """One design's binary."""

    design: Design
    binary: Path

    def run(self, data: Data, *options: str) -> Run:
        command = [str(self.binary), *(str(data.path(name)) for name in FILES), *options]
        settings = {"text": True, "errors": "replace", "timeout": GUARD_SECONDS}
        done = subprocess.run(command, capture_output=True, check=False, **settings)
        return Run(done.returncode, done.stdout, done.stderr)

    def check(self, data: Data) -> None:
        """Every layer of the first frame and all logits equal golden's."""
        run = self.run(data)
        count = len(data.layers) - 1  # logits have a file of their own
        wanted = f"csim: {len(data.images)} frames, {count} layers of the first frame: 0 mismatches"
        assert (run.code, run.out.splitlines()[-1:], run.err) == (0, [wanted], "")


class Bench:
    """Compiles; binaries are kept by the hash of their sources and flags for this test session."""

    def __init__(self, shared: Path) -> None:
        self.shared = shared

    @contextmanager
    def _locked(self, key: str):
        with (self.shared / f"{key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self.shared / key

    def kernel(
        self,
        design: Design,
        flags: str = FAST_COMPILE,
        replaced: Mapping[str, tuple[str, str]] | None = None,
        **variables: str,
    ) -> Kernel:
        """Emit and compile a design; `replaced` changes file -> (old text, new text) before."""
        variables = {"CXXFLAGS": flags, **variables}
        key = hashlib.sha256(repr((design, variables, replaced)).encode()).hexdigest()[:16]
        with self._locked(key) as folder:
            if not (folder / "build/csim").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                hls.write_kernel(design, "test", folder)
                for name, (old, new) in (replaced or {}).items():
                    text = (folder / name).read_text()
                    assert text.count(old) == 1, f"{name} has {text.count(old)} times {old!r}"
                    (folder / name).write_text(text.replace(old, new))
                settings = [f"{name}={value}" for name, value in variables.items()]
                make = ["make", "-C", str(folder), "build/csim", *settings]
                done = subprocess.run(make, capture_output=True, text=True, check=False)
                assert (done.returncode, done.stderr) == (0, ""), done.stderr[:4000]
        return Kernel(design, folder / "build/csim")

    def driver(
        self, name: str, source: str, design: Design, types: Path | None, flags: Sequence[str]
    ) -> Path:
        """A program of our own on the library, one design's constants and our or AMD's types."""
        key = hashlib.sha256(repr((name, source, design, types, flags)).encode()).hexdigest()[:16]
        with self._locked(key) as folder:
            if not (folder / name).exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                hls.write_kernel(design, "test", folder)
                (folder / f"{name}.cpp").write_text(source)
                warnings = ["-Wall", "-Wextra", "-Wno-unknown-pragmas", "-Wno-unused-label"]
                includes = ["-I", folder, "-I", folder / "include"]
                includes += ["-isystem", types or folder / "include/native"]
                files = [folder / f"{name}.cpp", "-o", folder / name]
                command = ["g++", *warnings, *includes, *flags, *files]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                assert (done.returncode, done.stderr) == (0, ""), done.stderr[:4000]
        return folder / name
