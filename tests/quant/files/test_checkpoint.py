"""checkpoint.py: checkpoints are written whole or not at all, and read without trusting them."""

import errno
import os
import pickle
import resource
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import SMALL, quick, run, sha, stop_at

from vaqf.errors import InputError
from vaqf.images import made
from vaqf.model.vit import LATER
from vaqf.quant.files import checkpoint
from vaqf.quant.files.checkpoint import export
from vaqf.quant.model.quantizers import binary_grid
from vaqf.quant.model.vit import BinaryStyle, QuantVit
from vaqf.sim import golden

HEADER = {"vit": {}, "act_bits": 4, "style": {}, "origin": "x", "model": None, "result": None}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("saved") / "good.pt"
    run(out, quick("best", each=1), act_bits=5)
    return out


def test_a_checkpoint_is_the_model_in_evaluation(good: Path) -> None:
    model, origin = checkpoint.read_model(good)
    assert origin == "trained on digits, recipe best, 2 epochs, seed 0"
    assert not model.training and model.act_bits == 5 and model.vit == SMALL
    assert model.style == BinaryStyle(centred=True, scale="learned")
    pixels, _ = made.digits(SMALL, "test")
    exported = export(good)
    assert exported.origin == origin
    logits = golden.run(exported, pixels[:20])
    np.testing.assert_array_equal(model(torch.from_numpy(pixels[:20])).numpy(), logits)


def test_a_run_in_its_float_stage_has_no_network_yet(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    with pytest.raises(KeyboardInterrupt):
        run(out, quick("vaqf_paper"), report=stop_at(3))
    assert checkpoint.read(out).model is None and checkpoint.read(out).run["epochs_done"] == 1
    with pytest.raises(InputError, match=r"still training the float model; go on with .*--resume"):
        export(out)


def test_loading_keeps_the_parameters_that_an_optimizer_knows() -> None:
    model = QuantVit(SMALL, 4, BinaryStyle(True, "learned"))
    model.begin_binary(torch.Generator().manual_seed(0))
    model.set_binary(0.25, masked=True)
    layer = model.binary_layers()["blocks.0.attn.qkv"]
    before = dict(model.named_parameters())
    field = binary_grid(layer).field
    state = {name: tensor + 1.0 for name, tensor in model.state_dict().items()}
    checkpoint.load_state(Path("x.pt"), model, state)
    for name, parameter in model.named_parameters():
        assert parameter is before[name]
        assert torch.equal(parameter, state[name])
    grid = binary_grid(layer)
    assert (grid.binary, grid.masked, grid.field) == (0.25, True, field)


def rewritten(source: Path, target: Path, **changes: Any) -> Path:
    """A checkpoint with other entries; ... leaves one out."""
    content = torch.load(source, weights_only=True) | changes
    torch.save({key: value for key, value in content.items() if value is not ...}, target)
    return target


def with_tensor(source: Path, target: Path, name: str, tensor: object) -> Path:
    model = torch.load(source, weights_only=True)["model"]
    return rewritten(source, target, model={**model, name: tensor})


class Harm:
    """Runs code when it is unpickled by a careless reader."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('the pickle ran')",))


def test_checkpoints_that_are_no_checkpoints(good: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pt"
    vit = torch.load(good, weights_only=True)["vit"]
    head = torch.zeros(10, 16)
    style = {"centred": True, "scale": "learned"}
    cases = [
        (lambda: rewritten(good, bad, vaqf_checkpoint=1), "schema 1, this version reads 3"),
        (lambda: rewritten(good, bad, vaqf_checkpoint=head), "schema tensor"),
        (lambda: rewritten(good, bad, vaqf_checkpoint=...), "not a checkpoint of vaqf train"),
        (lambda: rewritten(good, bad, act_bits=...), "lacks act_bits"),
        (lambda: rewritten(good, bad, run=...), "lacks run"),
        (lambda: rewritten(good, bad, act_bits=True), "act_bits is True"),
        (lambda: rewritten(good, bad, act_bits=9), "act_bits is 9"),
        (lambda: rewritten(good, bad, act_bits=head), "act_bits is tensor"),
        (lambda: rewritten(good, bad, origin=3), "origin"),
        (lambda: rewritten(good, bad, extra=3), "unknown key 'extra'"),
        (lambda: rewritten(good, bad, **{"3": 3}), "unknown key '3'"),
        (lambda: torch.save({**torch.load(good), 3: 3}, bad), "unknown key 3"),
        (lambda: rewritten(good, bad, style={}), "style"),
        (lambda: rewritten(good, bad, style=None), "style"),
        (lambda: rewritten(good, bad, style={**style, "centred": 1}), "style"),
        (lambda: rewritten(good, bad, style={**style, "scale": "row"}), "does not belong"),
        (lambda: rewritten(good, bad, vit={}), "keys of a model"),
        (lambda: rewritten(good, bad, vit=[1]), "keys of a model"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 2.5}), "dim"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 17}), "heads"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 18}), "is torch.float32"),
        (lambda: rewritten(good, bad, vit={**vit, "depth": 50}), "blocks.1.norm1.weight is miss"),
        (lambda: rewritten(good, bad, model=[1]), "no state dict"),
        (lambda: rewritten(good, bad, model=None), "still training the float model"),
        (lambda: with_tensor(good, bad, "stray", head), "'stray' does not belong"),
        (lambda: with_tensor(good, bad, "head.weight", head.double()), "torch.float64"),
        (lambda: with_tensor(good, bad, "head.weight", head + float("nan")), "NaN"),
        (lambda: with_tensor(good, bad, "head.weight", head.to_sparse()), "dense"),
        (lambda: with_tensor(good, bad, "head.weight", 3), "dense"),
        (
            lambda: with_tensor(good, bad, "residual_scale", torch.ones(2)),
            r"not torch.float32 \[\]",
        ),
        (lambda: bad.write_bytes(good.read_bytes()[:-100]), "damaged|refused"),
        (lambda: bad.write_bytes(b""), "damaged|refused"),
        (lambda: bad.write_bytes(b"\x80\x02not a pickle"), "damaged|refused"),
        (lambda: bad.write_bytes(pickle.dumps({"model": Harm()})), "refused"),
        (lambda: torch.save({"vaqf_checkpoint": 2, "model": Harm()}, bad), "refused"),
        (lambda: torch.save([1, 2], bad), "not a checkpoint of vaqf train"),
    ]
    for spoil, message in cases:
        spoil()
        with pytest.raises(InputError, match=message) as caught:
            export(bad)
        assert str(bad) in str(caught.value) or "model" in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        export(tmp_path / "missing.pt")
    with pytest.raises(InputError, match="cannot be read"):
        export(tmp_path)


def test_flipped_bytes_never_raise_anything_else(good: Path, tmp_path: Path) -> None:
    whole = good.read_bytes()
    rng = np.random.default_rng(0)
    bad = tmp_path / "flipped.pt"
    for _ in range(40):
        content = bytearray(whole)
        for at in rng.integers(0, len(content), 3):
            content[at] ^= int(rng.integers(1, 256))
        bad.write_bytes(content)
        try:
            export(bad)
        except InputError as error:
            assert "\n" not in str(error)


def test_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "folder" / "x.pt"
    checkpoint.write(out, {**HEADER, "run": 1})
    before = out.read_bytes()

    for error in (OSError(errno.EIO, "Input/output error"), KeyboardInterrupt(), MemoryError()):

        def half(content: object, file: Any, error: BaseException = error) -> None:
            file.write(before[: len(before) // 2])
            file.flush()
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(torch, "save", half)
            with pytest.raises(InputError if isinstance(error, OSError) else type(error)):
                checkpoint.write(out, {**HEADER, "run": 2})
        assert out.read_bytes() == before
        assert list(out.parent.iterdir()) == [out]


def test_what_a_kill_left_is_taken_over(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    left = tmp_path / ".x.pt.partial"
    left.write_bytes(b"half a checkpoint")
    checkpoint.check_place(out)
    left.write_bytes(b"half a checkpoint")
    checkpoint.write(out, {**HEADER, "run": 1})
    assert list(tmp_path.iterdir()) == [out]
    assert torch.load(out, weights_only=True)["run"] == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "the disk is full"), None])
def test_a_full_disk_and_ctrl_c_inside_torch_are_what_they_are(
    error: OSError | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch's zip writer raises RuntimeError over what interrupted it."""
    out = tmp_path / "x.pt"
    checkpoint.write(out, {**HEADER, "run": 1})
    true = Path.open

    class Full:
        def __init__(self, file: Any) -> None:
            self.file, self.left = file, 3

        def write(self, data: bytes) -> int:
            self.left -= 1
            if not self.left:
                raise error or KeyboardInterrupt
            return int(self.file.write(data))

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *kinds: object) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    monkeypatch.setattr(Path, "open", lambda self, mode: Full(true(self, mode)))
    with pytest.raises(InputError if error else KeyboardInterrupt) as caught:
        checkpoint.write(out, {**HEADER, "run": torch.zeros(9999)})
    if error:
        assert str(caught.value) == (
            f"cannot write {out}: the disk is full; free some space or name another place with -o"
        )
    monkeypatch.undo()
    assert torch.load(out, weights_only=True)["run"] == 1
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_outgrows_its_limit_leaves_the_former_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.pt"
    chosen = quick("best")

    def shrink(what: str, done: int, of: int) -> None:
        if done == 3:  # of two steps an epoch: the first save has passed
            resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, limits[1]))

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(InputError, match=rf"cannot write .*x\.pt: {os.strerror(errno.EFBIG)}"):
            run(out, chosen, report=shrink)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert checkpoint.read(out).run["epochs_done"] == 1
    assert not list(tmp_path.glob(".*"))
    run(out, chosen, resumed=True)
    run(tmp_path / "whole.pt", chosen)
    assert sha(out) == sha(tmp_path / "whole.pt")


def test_a_look_at_the_place_leaves_a_running_save_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "x.pt"
    monkeypatch.setattr(
        "vaqf.quant.files.checkpoint.os.fsync", lambda file: checkpoint.check_place(out)
    )
    checkpoint.write(out, {**HEADER, "run": 1})
    assert list(tmp_path.iterdir()) == [out]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for place in (file / "x.pt", Path("/proc/x/y.pt"), Path("/dev/null/x.pt")):
        with pytest.raises(InputError, match=f"cannot write {place}: "):
            checkpoint.check_place(place)
    long = tmp_path / ("x" * 300 + ".pt")
    with pytest.raises(InputError, match=os.strerror(errno.ENAMETOOLONG)):
        checkpoint.check_place(long)


def test_a_checkpoint_of_schema_2_is_read(good: Path, tmp_path: Path) -> None:
    described = checkpoint.read(good).vit
    older = {key: value for key, value in asdict(described).items() if key not in LATER}
    read = checkpoint.read(rewritten(good, tmp_path / "x.pt", vaqf_checkpoint=2, vit=older))
    assert (read.vit, read.vit.class_names) == (described, ())
