"""The host of an accelerator on a ULX3S: images to it over the board's serial port, logits back.

    pip install pyserial
    python host.py --port /dev/ttyUSB0              the project's images, compared with its logits
    python host.py --port /dev/ttyUSB0 mine.bin     others, packed as docs/accelerator.md says
    python host.py --port /dev/ttyUSB0 --load       weights and commands first, from this folder

It needs this file, board.json and the .bin files beside it, and nothing of vaqf. A serial port is
whatever has `write(bytes)`, `read(count)` and `send_break(seconds)`, as pyserial's.
"""

import argparse
import json
import struct
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

WORDS = struct.Struct("<BIH")  # what is asked, the address, how many words of 32 bits
CHUNK_WORDS = 1024  # of one message: short enough to show where a line fails
BREAK_SECONDS = 0.01  # longer than a byte at any rate
TIMEOUT_SECONDS = 5.0
BLOB = struct.Struct("<4sIIIQQ32x")  # magic, kind, count, crc32, payload bytes, bytes of an item
STATUS = {
    1: "a command asks for what the design does not have",
    2: "the run had no commands, or more than the list holds",
    3: "a memory answered with an error",
    4: "the watchdog ended the run",
}


class HostError(Exception):
    """What went wrong, and what to do about it: one sentence."""


class Port(Protocol):
    """The part of a serial port that is used."""

    def write(self, data: bytes, /) -> Any:
        """Send bytes."""

    def read(self, count: int, /) -> bytes:
        """That many bytes, or fewer after a while."""

    def send_break(self, duration: float) -> Any:
        """Hold the line low."""


class Accelerator:
    """One board; `board`: the content of board.json."""

    def __init__(self, port: Port, board: dict[str, Any]) -> None:
        self.port = port
        self.board = board
        port.send_break(BREAK_SECONDS)  # whatever it heard before
        found = self.register("design_id")
        if found != board["design_id"]:
            raise HostError(
                f"the board runs design {found:08x}, board.json is of {board['design_id']:08x};"
                " configure it with the bitstream beside this file"
            )

    def load(self, commands: bytes, weights: bytes) -> None:
        """Another network than the bitstream's, of the same design."""
        self._write_memory("commands", commands)
        self._write_memory("weights", weights)

    def run(self, images: bytes) -> list[list[int]]:
        """Logits of packed images, of any number."""
        frame, most = self.board["frame_bytes"], self.board["frames"]
        if not images or len(images) % frame:
            raise HostError(f"images are {len(images)} bytes, which is no multiple of {frame}")
        found: list[list[int]] = []
        for at in range(0, len(images), most * frame):
            part = images[at : at + most * frame]
            self.start(part)
            self.wait(len(part) // frame)
            found += self.logits(len(part) // frame)
        return found

    def start(self, images: bytes) -> None:
        """Images of one run into their memory, and the start."""
        self._write_memory("images", images)
        for name, memory in self.board["memories"].items():
            self._write_register(name, memory["base"])
        self._write_register("n_frames", len(images) // self.board["frame_bytes"])
        self._write_register("n_commands", self.board["n_commands"])
        self._write_register("control", self.board["masks"]["start"])

    def wait(self, frames: int, seconds: float = 60.0) -> None:
        """Until the run has ended; HostError if it ended badly, or does not end."""
        end = time.monotonic() + seconds
        while self.register("control") & self.board["masks"]["start"]:
            if time.monotonic() > end:
                raise HostError(f"the run did not end in {seconds:g} s; press FIRE1 to reset it")
        status = self.register("error") & self.board["masks"]["status"]
        if status:
            meaning = STATUS.get(status, "which this program does not know")
            where = self.register("stopped_at")
            raise HostError(f"the run ended at command {where} with status {status}: {meaning}")
        done = self.register("frames_done")
        if done != frames:
            raise HostError(f"the board reports {done} frames done of {frames}")

    def logits(self, frames: int) -> list[list[int]]:
        """int32 [frames, classes] of the last run."""
        memory, row = self.board["memories"]["results"], self.board["logits_bytes"]
        first = memory["base"] + self.board["status_bytes"]
        data = self.read(first, frames * row // 4)
        classes = struct.Struct(f"<{self.board['classes']}i")
        return [list(classes.unpack_from(data, at)) for at in range(0, frames * row, row)]

    def cycles(self) -> int:
        """Of the last run, from its start to its end."""
        low, high = struct.unpack("<II", self.read(self.board["registers"]["run_cycles"], 2))
        return int(high << 32 | low)

    def register(self, name: str) -> int:
        """One word of a register."""
        (found,) = struct.unpack("<I", self.read(self.board["registers"][name], 1))
        return int(found)

    def read(self, address: int, words: int) -> bytes:
        """Words of 32 bits from an address on."""
        found = b""
        for at, count in _chunks(words):
            self.port.write(WORDS.pack(ord("R"), address + 4 * at, count))
            found += self._answer(4 * count, f"a read of {address + 4 * at:#x}")
        return found

    def write(self, address: int, data: bytes) -> None:
        """Whole words from an address on."""
        for at, count in _chunks(len(data) // 4):
            words = data[4 * at : 4 * (at + count)]
            self.port.write(WORDS.pack(ord("W"), address + 4 * at, count) + words)
            if self._answer(1, f"a write of {address + 4 * at:#x}") != b"K":
                raise HostError("the board answers something else; reset it with FIRE1")

    def _write_register(self, name: str, value: int) -> None:
        self.write(self.board["registers"][name], struct.pack("<I", value))

    def _write_memory(self, name: str, data: bytes) -> None:
        memory = self.board["memories"][name]
        if len(data) > memory["size"]:
            raise HostError(f"{name} are {len(data)} bytes, their memory holds {memory['size']}")
        # a line is written with its last word
        self.write(memory["base"], data + bytes(-len(data) % memory["width"]))

    def _answer(self, count: int, to: str) -> bytes:
        found = self.port.read(count)
        if len(found) != count:
            raise HostError(
                f"{to} was answered with {len(found)} bytes of {count}; configure the board with"
                f" the bitstream, and set the port to {self.board['baud']:,.0f} Baud"
            )
        return found


def _chunks(words: int) -> Iterator[tuple[int, int]]:
    """First word and number of words of every message."""
    for at in range(0, words, CHUNK_WORDS):
        yield at, min(CHUNK_WORDS, words - at)


def payload(path: Path) -> bytes:
    """What a file of `vaqf build` holds behind its header, checked by its CRC."""
    content = path.read_bytes()
    if len(content) < BLOB.size or content[:4] != b"VAQF":
        raise HostError(f"{path} is no file of vaqf build")
    _, _, _, crc, size, _ = BLOB.unpack_from(content)
    found = content[BLOB.size :]
    if size != len(found) or crc != zlib.crc32(found):
        raise HostError(f"{path} is damaged")
    return found


def _wanted(path: Path, classes: int) -> list[list[int]]:
    """Golden's logits as `vaqf build` wrote them."""
    row = struct.Struct(f"<{classes}i")
    return [list(one) for one in row.iter_unpack(payload(path))]


def main(words: Sequence[str] | None = None) -> int:
    """The command line; 1 if a logit differs from golden's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", required=True, help="such as /dev/ttyUSB0 or COM3")
    parser.add_argument("--load", action="store_true", help="weights and commands of this folder")
    parser.add_argument("images", nargs="?", type=Path, help="a packed images.bin")
    asked = parser.parse_args(words)
    here = Path(__file__).resolve().parent
    board = json.loads((here / "board.json").read_text(encoding="utf-8"))
    try:
        import serial  # type: ignore[import-untyped]
    except ImportError:
        raise SystemExit("pyserial is not installed; pip install pyserial") from None
    try:
        line = serial.Serial(asked.port, board["baud"], timeout=TIMEOUT_SECONDS)
        accelerator = Accelerator(line, board)
        if asked.load:
            accelerator.load(payload(here / "commands.bin"), payload(here / "weights.bin"))
        found = accelerator.run(payload(asked.images or here / "images.bin"))
        wanted = None if asked.images else _wanted(here / "logits.bin", board["classes"])
    except (HostError, OSError) as error:
        raise SystemExit(f"error: {error}") from None
    for frame, logits in enumerate(found):
        same = "" if wanted is None else ", as golden" if logits == wanted[frame] else ", WRONG"
        print(f"image {frame}: class {logits.index(max(logits))}{same}")
    print(f"last run: {accelerator.cycles():,} cycles")
    return int(wanted is not None and found != wanted)


if __name__ == "__main__":
    sys.exit(main())
