"""quant/train.py, saved.py and export.py on a model that trains in a second."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")
pytest.importorskip("sklearn")

from quant import saved  # noqa: E402
from quant.export import export  # noqa: E402
from quant.train import Progress, Trained, shifted, train  # noqa: E402
from sim import golden  # noqa: E402
from vaqf import api, images, network  # noqa: E402
from vaqf import vit as zoo  # noqa: E402
from vaqf.errors import InputError  # noqa: E402

SMALL = replace(zoo.load("vit_digits"), name="small", dim=16, depth=1, heads=2, mlp_ratio=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Trained, list[Progress]]:
    out = tmp_path_factory.mktemp("train") / "small.pt"
    seen: list[Progress] = []
    return out, train(SMALL, "digits", out, act_bits=5, epochs=2, progress=seen.append), seen


@pytest.mark.slow
def test_the_digits_reach_95_percent_at_8_bits(tmp_path: Path) -> None:
    digits = zoo.load("vit_digits")
    made = train(digits, "digits", tmp_path / "x.pt", epochs=api.EPOCHS)
    assert made.accuracy >= 0.95


def test_progress_counts_the_epochs_of_both_stages(
    made: tuple[Path, Trained, list[Progress]],
) -> None:
    assert [(p.stage, p.epoch, p.epochs) for p in made[2]] == [
        ("float", 1, 2),
        ("float", 2, 2),
        ("binary", 1, 2),
        ("binary", 2, 2),
    ]
    assert made[2][3].loss < made[2][2].loss


def test_accuracy_is_the_exported_networks_on_every_test_image(
    made: tuple[Path, Trained, list[Progress]],
) -> None:
    out, trained, _ = made
    exported = export(out)
    pixels, labels = images.digits(SMALL, "test")
    logits = golden.run(exported, pixels)
    assert trained.images == 360
    assert trained.correct == int((golden.labels(logits) == labels).sum())
    assert trained.accuracy == trained.correct / 360
    model, _ = saved.read(out)
    np.testing.assert_array_equal(model(torch.from_numpy(pixels)).numpy(), logits)
    assert exported.origin == "trained on digits, 2 epochs, seed 0"
    assert exported.vit == SMALL and exported.act_bits == 5


def test_same_seed_same_network_whatever_ran_before(
    made: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    torch.manual_seed(99)
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    again = tmp_path / "again.pt"
    train(SMALL, "digits", again, act_bits=5, epochs=2)
    assert torch.equal(torch.get_rng_state(), state)  # the caller's generator is untouched
    assert torch.get_num_threads() == threads
    assert network.to_bytes(export(again)) == network.to_bytes(export(made[0]))
    other = tmp_path / "other.pt"
    train(SMALL, "digits", other, act_bits=5, epochs=1, seed=1)
    assert network.sha256(export(other)) != network.sha256(export(made[0]))


def test_nothing_is_left_when_training_is_interrupted(tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(SMALL, "digits", tmp_path / "x.pt", epochs=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_checkpoint_is_kept_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "x.pt"
    out.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        train(SMALL, "digits", out, epochs=1)
    assert out.read_text() == "mine"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"data": "cifar"}, "'cifar'"),
        ({"act_bits": 9}, "act_bits is 9"),
        ({"act_bits": 1}, "act_bits is 1"),
        ({"epochs": 0}, "epochs is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_wrong_requests_are_refused_before_any_work(
    request_: dict[str, object], message: str, tmp_path: Path
) -> None:
    arguments = {"data": "digits", "epochs": 1, **request_}
    with pytest.raises(InputError, match=message):
        train(SMALL, out=tmp_path / "x.pt", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_shifted_images_keep_their_ink_within_one_pixel() -> None:
    torch.manual_seed(0)
    image = torch.zeros(200, 5, 5, 1, dtype=torch.uint8)
    image[:, 2, 2] = 200
    moved = shifted(image)
    assert moved.shape == image.shape
    assert torch.allclose(moved.sum(dim=(1, 2, 3)), torch.tensor(200.0))
    assert float(moved[:, [0, 4]].abs().sum()) == 0 == float(moved[:, :, [0, 4]].abs().sum())
    assert len({tuple(m.flatten().nonzero().flatten().tolist()) for m in moved}) == 9


def rewritten(source: Path, target: Path, **changes: object) -> Path:
    content = torch.load(source, weights_only=True)
    for key, value in changes.items():
        if value is None:
            del content[key]
        else:
            content[key] = value
    torch.save(content, target)
    return target


def with_tensor(source: Path, target: Path, name: str, tensor: object) -> Path:
    model = torch.load(source, weights_only=True)["model"]
    model[name] = tensor
    return rewritten(source, target, model=model)


class Harm:
    """Runs code when it is unpickled by a careless reader."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('the pickle ran')",))


def test_checkpoints_that_are_no_checkpoints(
    made: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    good, bad = made[0], tmp_path / "bad.pt"
    vit = torch.load(good, weights_only=True)["vit"]
    head = torch.zeros(10, 16)
    cases = [
        (lambda: rewritten(good, bad, vaqf_checkpoint=2), "schema 2"),
        (lambda: rewritten(good, bad, vaqf_checkpoint=None), "not a checkpoint of vaqf train"),
        (lambda: rewritten(good, bad, act_bits=None), "lacks act_bits"),
        (lambda: rewritten(good, bad, act_bits=True), "act_bits is True"),
        (lambda: rewritten(good, bad, act_bits=9), "act_bits is 9"),
        (lambda: rewritten(good, bad, origin=3), "origin"),
        (lambda: rewritten(good, bad, extra=3), "unknown key 'extra'"),
        (lambda: rewritten(good, bad, vit={}), "keys of a model"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 2.5}), "dim"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 17}), "heads"),
        (lambda: rewritten(good, bad, vit={**vit, "dim": 18}), "is torch.float32"),
        (lambda: rewritten(good, bad, vit={**vit, "depth": 50}), "blocks.1.norm1.weight is miss"),
        (lambda: rewritten(good, bad, model=[1]), "no state dict"),
        (lambda: with_tensor(good, bad, "stray", head), "'stray' does not belong"),
        (lambda: with_tensor(good, bad, "head.weight", head.double()), "torch.float64"),
        (lambda: with_tensor(good, bad, "head.weight", head + float("nan")), "NaN"),
        (lambda: with_tensor(good, bad, "head.weight", head.to_sparse()), "dense"),
        (lambda: with_tensor(good, bad, "head.weight", 3), "dense"),
        (lambda: bad.write_bytes(good.read_bytes()[:-100]), "damaged|refused"),
        (lambda: bad.write_bytes(b""), "damaged|refused"),
        (lambda: bad.write_bytes(b"\x80\x02not a pickle"), "damaged|refused"),
        (lambda: bad.write_bytes(pickle.dumps({"model": Harm()})), "refused"),
        (lambda: torch.save({"vaqf_checkpoint": 1, "model": Harm()}, bad), "refused"),
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


def test_flipped_bytes_never_raise_anything_else(
    made: tuple[Path, Trained, list[Progress]], tmp_path: Path
) -> None:
    whole = made[0].read_bytes()
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
