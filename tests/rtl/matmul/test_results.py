"""results.sv, with gelu, row_sums and logits: what it writes against golden."""

import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import cocotb
import numpy as np
import pytest
from cocotb.triggers import FallingEdge, ReadOnly
from hls_bench import design_for
from numpy.typing import NDArray
from rtl_bench import draw, late_biases, latency, reset, signed_range, start_clock
from samples import ODD

from vaqf.arithmetic.widths import (
    BIAS_LIMIT,
    LOGIT_BITS,
    MULT_BITS,
    OPERAND_BITS,
    RECORD_BITS,
    ceil_div,
)
from vaqf.arithmetic.widths import RESIDUAL_BITS as STREAM_BITS
from vaqf.hardware.command import Dest, Source, encode
from vaqf.hardware.config import constants
from vaqf.hardware.design import Design, from_json
from vaqf.model.vit import Vit
from vaqf.network.structure import Requant
from vaqf.sim import golden

IntArray = NDArray[Any]
Place = tuple[int, int]  # bank, address
# accumulators of 29 bits, two more than the multiplier takes
WIDE = Vit(name="wide", image_size=144, patch_size=48, dim=48, depth=1, heads=2, mlp_ratio=2)
DESIGNS: dict[str, tuple[Vit, dict[str, int]]] = {
    "odd": (ODD, {"tokens": 5, "pe": 3, "simd": 384, "norm_tokens": 1, "attention_lanes": 3}),
    "wide": (WIDE, {"tokens": 2, "pe": 6, "simd": 192, "act_bits": 3, "attention_lanes": 6}),
    "row": (ODD, {"tokens": 1, "pe": 4, "simd": 32, "norm_tokens": 1, "attention_lanes": 4}),
}
BEAT = 4  # logits
MEMORY, DIAGONAL = latency("MEMORY"), latency("MEMORY") + 2
# memory -> the port that its address and data come from
ACTIVATIONS = {"q": "qkv", "k": "qkv", "v": "qkv", "hidden": "hidden"}


@pytest.mark.parametrize("name", DESIGNS)
def test_results(simulate: Callable[..., None], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vit, changes = DESIGNS[name]
    design = design_for([vit], **changes)
    monkeypatch.setenv("VAQF_DESIGN", json.dumps(design.to_json()))
    simulate(__file__, "results", {}, design=design)


def join(values: Iterable[int], bits: int) -> int:
    """Fields of a word, the lowest first; negative numbers too."""
    return sum((int(value) & 2**bits - 1) << i * bits for i, value in enumerate(values))


def cut(word: int, bits: int, count: int) -> list[int]:
    """The counterpart of join."""
    return [word >> i * bits & 2**bits - 1 for i in range(count)]


@dataclass(frozen=True)
class Job:
    """A command and what arrives for it; rows are whole token groups."""

    dest: Dest
    source: Source
    fields: dict[str, int]
    accs: IntArray  # [rows, channels], as the engine gives them
    sums: IntArray  # [rows], of activations
    values: IntArray  # [rows, channels], of the matmul
    requant: Requant
    stream: IntArray  # [rows, channels], residual stream or constants

    def requantized(self, low: int, high: int) -> IntArray:
        return golden.requantize(self.values, self.requant, low, high, self.fields["pre_shift"])

    def records(self, pe: int) -> list[int]:
        """Words of pe records."""
        pairs = zip(self.requant.mult.tolist(), self.requant.bias.tolist(), strict=True)
        lanes = [mult & 2**MULT_BITS - 1 | bias << MULT_BITS for mult, bias in pairs]
        return [join(lanes[i : i + pe], RECORD_BITS) for i in range(0, len(lanes), pe)]


def job(design: Design, rng: random.Random, dest: Dest, source: Source, smooth: bool) -> Job:
    """Random records and accumulators; a shift for which some results are clamped, most not."""
    sizes, t, p = constants(design), design.tokens, design.pe
    channels = {
        Dest.QKV: sizes["max_attention"],
        Dest.RESIDUAL: sizes["max_dim"],
        Dest.HIDDEN: sizes["max_hidden"],
        Dest.LOGITS: sizes["max_outputs"],
    }[dest]
    words = channels // p if smooth else rng.randint(1, min(channels // p, 9))
    words *= 3 if dest == Dest.QKV else 1
    channels = words * p
    tokens = 1 if dest == Dest.LOGITS else rng.randint(1, sizes["max_tokens"])
    rows = ceil_div(tokens, t) * t
    planes = 8 if dest == Dest.LOGITS or source == Source.PIXELS else 1
    bits = min(sizes["acc_bits"], OPERAND_BITS)
    pre = rng.randint(0, sizes["acc_bits"] - bits) if planes == 8 else 0
    if planes == 1:
        sums = np.array(draw(rng, (0, 2 ** (bits - 1) - 1), rows))
        accs = np.array([[rng.randint(0, int(top)) for _ in range(channels)] for top in sums])
        values = 2 * accs - sums[:, None]
    else:
        sums = np.array(draw(rng, (0, 2 ** (bits - 1) - 1), rows))
        accs = np.array(draw(rng, signed_range(bits + pre), rows * channels)).reshape(rows, -1)
        values = accs
    out_bits = {Dest.QKV: design.act_bits, Dest.RESIDUAL: STREAM_BITS, Dest.HIDDEN: 8}
    width = out_bits.get(dest, LOGIT_BITS)
    shift = max(0, bits + MULT_BITS - 1 - width - rng.randint(0, 3))
    biases = draw(rng, (-BIAS_LIMIT, BIAS_LIMIT), channels)
    requant = Requant(
        mult=np.array(draw(rng, signed_range(MULT_BITS), channels)),
        # random biases swamp most products: three of four are the rounding half alone
        bias=np.array([bias if rng.random() < 0.25 else 2**shift // 2 for bias in biases]),
        shift=shift,
    )
    fields = {
        "opcode": 1,
        "source": source,
        "dest": dest,
        "tokens": tokens,
        "outputs": channels if dest == Dest.QKV else channels - rng.randrange(p),
        "n_words": words,
        "planes": planes,
        "pre_shift": pre,
        "shift": shift,
        **{name: rng.randrange(999) for name in ("k_words", "dim", "head_words", "norm_offset")},
    }
    stream = np.array(draw(rng, signed_range(STREAM_BITS), rows * channels)).reshape(rows, -1)
    return Job(dest, source, fields, accs, sums, values, requant, stream)


class Bench:
    """The memories around the module, and everything else it talks with."""

    def __init__(self, dut: Any, design: Design) -> None:
        self.dut, self.design, self.rng = dut, design, random.Random(1)
        self.sizes = constants(design)
        self.t, self.p, self.a = design.tokens, design.pe, design.act_bits
        self.table: list[int] = []
        self.to_load: deque[int] = deque()  # of the gelu table
        self.record_reads = deque([0] * (MEMORY + 1), maxlen=MEMORY + 1)
        self.stream_reads = deque([0] * DIAGONAL, maxlen=DIAGONAL)
        self.cycle = 0
        self.clear()

    def clear(self) -> None:
        """What a command leaves."""
        self.found: dict[str, dict[Place, int]] = {name: {} for name in ACTIVATIONS}
        self.records: list[int] = []
        self.residual: dict[Place, int] = {}
        self.updated: dict[Place, int] = {}
        self.row_sums: dict[int, int] = {}
        self.beats: list[int] = []
        self.waiting: tuple[int, int] | None = None
        self.last_write, self.done_at = 0, list[int]()

    def new_table(self) -> None:
        """Of gelu, to be loaded in the next cycles."""
        self.table = []
        self.to_load.extend(self.rng.getrandbits(self.a) for _ in range(256))

    def places(self, banks: int, first: int, addresses: Iterable[int]) -> list[Place]:
        return [((first + t) % banks, address) for t, address in enumerate(addresses)]

    def group_places(self, job: Job, g: int, w: int) -> list[Place]:
        """Of a tile in the memories of token groups, as docs/rtl.md has them."""
        words = job.fields["n_words"]
        return [((t + w) % self.t, g * words + w) for t in range(self.t)]

    def words(self, rows: IntArray, g: int, w: int, bits: int) -> list[int]:
        """The words of a tile of [rows, channels]."""
        tile = rows[g * self.t : (g + 1) * self.t, w * self.p : (w + 1) * self.p]
        return [join(row, bits) for row in tile.tolist()]

    # -- a cycle --

    async def tick(self, **inputs: int) -> int:
        """Drive, answer earlier reads, take what is written; returns sums_ready."""
        dut, rng = self.dut, self.rng
        for name in ("start", "issued", "constant_written", "acc_valid", "sums_valid"):
            getattr(dut, name).value = inputs.get(name, 0)
        for name in ("acc_data", "sums_data"):
            handle = getattr(dut, name)
            handle.value = inputs[name] if name in inputs else rng.getrandbits(len(handle))
        before, word = islice(self.record_reads, 2)
        dut.record_data.value = late_biases(word, before, self.p)
        dut.residual_read_data.value = self.stream_reads[0]
        ready = int(rng.random() < 0.6)
        dut.logits_ready.value = ready
        load = bool(self.to_load) and rng.random() < 0.9
        dut.gelu_write.value = int(load)
        dut.gelu_address.value = len(self.table) if load else rng.getrandbits(8)
        if load:
            dut.gelu_data.value = self.to_load[0]
            self.table.append(self.to_load.popleft())
        await ReadOnly()
        self.take_reads()
        self.take_writes()
        self.take_logits(ready)
        if int(dut.done.value):
            self.done_at.append(self.cycle)
        sums_ready = int(dut.sums_ready.value)
        self.cycle += 1
        await FallingEdge(dut.clk)
        return sums_ready

    def take_reads(self) -> None:
        dut, p = self.dut, self.p
        word = int(dut.record_address.value)
        known = word < len(self.records)
        self.record_reads.append(
            self.records[word] if known else self.rng.getrandbits(p * RECORD_BITS)
        )
        first, address = int(dut.residual_read_first.value), int(dut.residual_read_address.value)
        read = self.places(self.t, first, [address] * self.t)
        garbage = self.rng.getrandbits(p * STREAM_BITS)
        words = [self.residual.get(place, garbage) for place in read]
        self.stream_reads.append(join(words, p * STREAM_BITS))

    def take_writes(self) -> None:
        dut, t = self.dut, self.t
        for name, port in ACTIVATIONS.items():
            if int(getattr(dut, f"{name}_write").value):
                banks, count = (self.design.banks, t) if port == "qkv" else (t, 1)
                address = getattr(dut, f"{port}_address")
                addresses = cut(int(address.value), len(address) // count, count)
                first = int(getattr(dut, f"{port}_first").value)
                places = self.places(banks, first, addresses if count == t else addresses * t)
                words = cut(int(getattr(dut, f"{port}_data").value), self.p * self.a, t)
                self.put(self.found[name], dict(zip(places, words, strict=True)))
        if int(dut.residual_write.value):
            first = int(dut.residual_write_first.value)
            places = self.places(t, first, [int(dut.residual_write_address.value)] * t)
            words = cut(int(dut.residual_write_data.value), self.p * STREAM_BITS, t)
            self.put(self.updated, dict(zip(places, words, strict=True)))
        if int(dut.row_sums_write.value):
            self.put(self.row_sums, {int(dut.row_sums_address.value): int(dut.row_sums_data.value)})

    def put(self, memory: dict[Any, int], words: dict[Any, int]) -> None:
        assert not memory.keys() & words.keys(), "written twice"
        memory.update(words)
        self.last_write = self.cycle

    def take_logits(self, ready: int) -> None:
        dut = self.dut
        if not int(dut.logits_valid.value):
            assert self.waiting is None, "a beat was withdrawn"
            return
        beat = (int(dut.logits_data.value), int(dut.logits_last.value))
        assert self.waiting in (None, beat), "a beat changed while it waited"
        self.waiting = None if ready else beat
        if ready:
            self.beats.append(beat[0])
            self.last_write = self.cycle
            wanted = ceil_div(int(dut.command.value) >> 48 & 0xFFFF, BEAT)  # of `outputs`
            assert beat[1] == (len(self.beats) == wanted)

    # -- a command --

    async def run(self, job: Job, offer: float) -> None:
        """From start to done, a result in every cycle with a probability; then all is compared."""
        dut, rng, bits = self.dut, self.rng, self.sizes["acc_bits"]
        words = job.fields["n_words"]
        tiles = [(g, w) for g in range(len(job.accs) // self.t) for w in range(words)]
        self.clear()
        self.records = job.records(self.p)
        to_write = deque(tiles if job.source == Source.PIXELS else [])
        if job.dest == Dest.RESIDUAL and not to_write:
            for tile in tiles:
                stream = self.words(job.stream, *tile, STREAM_BITS)
                self.residual.update(zip(self.group_places(job, *tile), stream, strict=True))
        dut.command.value = int.from_bytes(encode(job.fields), "little")
        await self.tick(start=1)
        for _ in range(8):  # no result is there sooner
            await self.tick()

        lag, issued, arrived, arrivals = rng.randint(1, 3), 0, 0, deque[int]()
        idle = 0
        while not self.done_at:
            now: dict[str, int] = {}
            constant: tuple[int, int] | None = None
            if to_write and not int(dut.residual_write.value) and rng.random() < offer:
                constant = to_write.popleft()
                now["constant_written"] = 1
            if issued < len(tiles) and rng.random() < offer and int(dut.allowed.value):
                now["issued"] = 1
                issued += 1
                arrivals.append(self.cycle + lag)
            came = bool(arrivals) and arrivals[0] == self.cycle
            if arrived < len(tiles):
                g, w = tiles[arrived]
                if came:
                    arrivals.popleft()
                    now["acc_valid"] = 1
                    now["acc_data"] = join(self.words(job.accs, g, w, bits), bits * self.p)
                if came or w or rng.random() < 0.5:
                    now["sums_valid"] = 1
                    now["sums_data"] = join(job.sums[g * self.t : (g + 1) * self.t], bits)
                arrived += came
                assert await self.tick(**now) == (came and w == words - 1)
            else:
                await self.tick()
                idle += 1
            if constant:
                stream = self.words(job.stream, *constant, STREAM_BITS)
                self.residual.update(zip(self.group_places(job, *constant), stream, strict=True))
            assert idle < 4000, "it hangs"
        assert self.done_at[0] > self.last_write, "done before all is visible"
        assert job.dest == Dest.LOGITS or idle < 24
        self.check(job, tiles)

    def check(self, job: Job, tiles: list[tuple[int, int]]) -> None:
        sizes, t, a = self.sizes, self.t, self.a
        wanted: dict[str, dict[Place, int]] = {name: {} for name in ACTIVATIONS}
        stream: dict[Place, int] = {}
        sums: dict[int, int] = {}
        beats: list[int] = []
        if job.dest == Dest.QKV:
            values = job.requantized(-sizes["signed_max"], sizes["signed_max"])
            banks, words = self.design.banks, job.fields["n_words"] // 3
            for g, w in tiles:
                memory = wanted["qkv"[w // words]]
                for i, word in enumerate(self.words(values, g, w, a)):
                    token, own = g * t + i, w % words
                    address = token * ceil_div(words, banks) + own // banks
                    memory[(token + own) % banks, address] = word
        elif job.dest == Dest.HIDDEN:
            hidden = np.array(self.table)[job.requantized(*signed_range(8)) + 128]
            hidden[:, job.fields["outputs"] :] = 0
            for tile in tiles:
                places = self.group_places(job, *tile)
                wanted["hidden"].update(zip(places, self.words(hidden, *tile, a), strict=True))
        elif job.dest == Dest.RESIDUAL:
            pre = job.fields["pre_shift"]
            rows = golden.add_residual(job.stream, job.values, job.requant, pre)
            for tile in tiles:
                words_of = self.words(rows, *tile, STREAM_BITS)
                stream.update(zip(self.group_places(job, *tile), words_of, strict=True))
            total = rows.astype(np.int64).sum(axis=1)
            squares = (rows.astype(np.int64) ** 2).sum(axis=1)
            mask = 2 ** sizes["row_sum_bits"] - 1
            both = [
                int(q) << sizes["row_sum_bits"] | int(s) & mask
                for q, s in zip(squares, total, strict=True)
            ]
            each = sizes["row_sum_bits"] + sizes["row_square_bits"]
            sums = {g: join(both[g * t : (g + 1) * t], each) for g in range(len(both) // t)}
        else:
            logits = job.requantized(*signed_range(LOGIT_BITS))[0, : job.fields["outputs"]]
            beats = [join(logits[i : i + BEAT], 32) for i in range(0, len(logits), BEAT)]
        assert self.found == wanted
        assert self.updated == stream
        assert self.row_sums == sums
        assert self.beats == beats


@cocotb.test()
async def equals_golden(dut: Any) -> None:
    design = from_json(json.loads(os.environ["VAQF_DESIGN"]))
    bench = Bench(dut, design)
    bench.new_table()
    rng = bench.rng
    dut.start.value = dut.acc_valid.value = dut.issued.value = dut.constant_written.value = 0
    dut.gelu_write.value = 0
    start_clock(dut)
    await reset(dut)
    dests = [(dest, Source.NORM) for dest in Dest] + [(Dest.RESIDUAL, Source.PIXELS)]
    for smooth in (True, *(False,) * 7):
        rng.shuffle(dests)
        for dest, source in dests:
            if dest == Dest.HIDDEN:
                while bench.to_load:
                    await bench.tick()
            await bench.run(job(design, rng, dest, source, smooth), 1.0 if smooth else 0.7)
            if dest == Dest.HIDDEN:  # while others run
                bench.new_table()
