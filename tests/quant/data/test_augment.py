"""Augmentation: a slice of the augmented whole is the augmented slice; each operation by itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance, ImageOps
from samples import RGB, noise

from vaqf.errors import InputError
from vaqf.files.fields import rules
from vaqf.images import made
from vaqf.model.vit import Vit
from vaqf.quant.data import randaugment
from vaqf.quant.data.augment import (
    ERASE,
    ERASE_AREA,
    POLICIES,
    Augment,
    auto,
    draw_erasures,
    erased,
    shifted,
    smoothed,
)
from vaqf.quant.data.batches import Batch
from vaqf.quant.recipe import recipe
from vaqf.quant.recipe.recipe import Recipe

PHOTO = replace(RGB, image_size=32, classes=5)
GRAY = replace(PHOTO, channels=1, mean=(0.5,), std=(0.5,))


def batch(vit: Vit, count: int) -> Batch:
    pixels = torch.from_numpy(made.synthetic(vit, count))
    return Batch(pixels, torch.arange(count) % vit.classes, 0, count)


def part(whole: Batch, start: int, stop: int) -> Batch:
    return Batch(whole.pixels[start:stop], whole.labels[start:stop], start, whole.whole)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("mixup", "cutmix"), [(0.0, 0.0), (0.8, 0.0), (0.0, 1.0), (0.8, 1.0)])
@pytest.mark.parametrize("vit", [PHOTO, GRAY], ids=["rgb", "gray"])
def test_augmenting_a_slice_is_slicing_the_augmented_whole(
    policy: str, mixup: float, cutmix: float, vit: Vit
) -> None:
    augment = Augment(policy, vit, vit.classes, mixup=mixup, cutmix=cutmix, smoothing=0.1)
    whole = batch(vit, 25)
    for step in range(3):
        pixels, targets = augment(whole, (7, step))
        assert pixels.dtype == targets.dtype == torch.float32
        assert pixels.shape == whole.pixels.shape and targets.shape == (25, vit.classes)
        assert float(pixels.min()) >= 0 and float(pixels.max()) <= 255
        assert torch.allclose(targets.sum(dim=1), torch.ones(25))
        for start, stop in ((0, 2), (2, 12), (12, 24), (24, 25)):
            ours = augment(part(whole, start, stop), (7, step))
            assert torch.equal(ours[0], pixels[start:stop])
            assert torch.equal(ours[1], targets[start:stop])


@pytest.mark.parametrize("policy", ["shift", "flip", "deit"])
def test_the_seed_decides_and_the_callers_generator_is_untouched(policy: str) -> None:
    augment = Augment(policy, PHOTO, 5, mixup=0.8, cutmix=1.0)
    torch.manual_seed(1)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = augment(batch(PHOTO, 8), (3, 4))
    torch.manual_seed(2)
    again, other = augment(batch(PHOTO, 8), (3, 4)), augment(batch(PHOTO, 8), (3, 5))
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_none_changes_nothing() -> None:
    whole = batch(PHOTO, 6)
    pixels, targets = Augment("none", PHOTO, 5)(whole, (0,))
    assert torch.equal(pixels, whole.pixels.float())
    assert torch.equal(targets.argmax(dim=1), whole.labels)
    assert torch.equal(targets.sum(dim=1), torch.ones(6))


def test_flip_mirrors_about_half() -> None:
    whole = batch(PHOTO, 400)
    pixels, _ = Augment("flip", PHOTO, 5)(whole, (0,))
    mirrored = (pixels == whole.pixels.flip(2)).all(dim=(1, 2, 3))
    same = (pixels == whole.pixels).all(dim=(1, 2, 3))
    assert bool((mirrored ^ same).all())
    assert 160 <= int(mirrored.sum()) <= 240


def test_shifted_images_keep_their_ink_within_one_pixel() -> None:
    dot = torch.zeros(200, 5, 5, 1, dtype=torch.uint8)
    dot[:, 2, 2] = 200
    small = replace(GRAY, image_size=5, patch_size=5)
    moved, _ = Augment("shift", small, 5)(Batch(dot, torch.zeros(200).long(), 0, 200), (0,))
    assert moved.shape == dot.shape
    assert torch.allclose(moved.sum(dim=(1, 2, 3)), torch.tensor(200.0))
    assert float(moved[:, [0, 4]].abs().sum()) == 0 == float(moved[:, :, [0, 4]].abs().sum())
    assert len({tuple(m.flatten().nonzero().flatten().tolist()) for m in moved}) == 9


def test_black_comes_in_where_an_image_is_moved_away() -> None:
    image = torch.full((1, 3, 3, 1), 100, dtype=torch.uint8)
    moved = shifted(image, torch.tensor([[0], [1]]), torch.tensor([0.75]))
    assert moved[0, :, :, 0].tolist() == [[25.0] * 3, [100.0] * 3, [100.0] * 3]


def test_targets_are_smoothed_like_torch_smooths_them() -> None:
    logits = torch.tensor(np.random.default_rng(0).normal(size=(4, 5)))
    labels = torch.tensor([0, 4, 2, 2])
    ours = -(smoothed(labels, 5, 0.1) * logits.log_softmax(dim=1)).sum(dim=1).mean()
    theirs = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    assert torch.allclose(ours, theirs)


def test_mixup_blends_neighbours_and_their_targets_alike() -> None:
    flat = torch.arange(6, dtype=torch.uint8)[:, None, None, None].expand(6, 8, 8, 3) * 40
    whole = Batch(flat, torch.arange(6) % 4, 0, 6)
    shares = set()
    for step in range(20):
        pixels, targets = Augment("none", RGB, 4, mixup=0.8)(whole, (step,))
        share = float(targets[0, 0])
        shares.add(share)
        assert targets[0].tolist() == pytest.approx([share, 1 - share, 0, 0])
        assert targets[3].tolist() == pytest.approx([0, 0, 1 - share, share])
        assert torch.allclose(pixels[2], torch.tensor(80 * share + 120 * (1 - share)))
    assert len(shares) == 20 and min(shares) < 0.2 and max(shares) > 0.8


def test_cutmix_pastes_a_box_of_the_share_that_the_target_says() -> None:
    flat = torch.arange(3, dtype=torch.uint8)[:, None, None, None].expand(3, 32, 32, 3) * 100
    whole = Batch(flat, torch.arange(3), 0, 3)
    seen = set()
    for step in range(20):
        pixels, targets = Augment("none", PHOTO, 5, cutmix=1.0)(whole, (step,))
        pasted = pixels[0, :, :, 0] == 100
        rows, columns = pasted.any(dim=1).sum(), pasted.any(dim=0).sum()
        assert int(pasted.sum()) == int(rows * columns)  # one box
        share = float(pasted.sum()) / 32**2
        assert targets[0].tolist() == pytest.approx([1 - share, share, 0, 0, 0])
        assert torch.equal(pixels[2], flat[2].float())  # the last of an odd batch is alone
        assert targets[2].tolist() == pytest.approx([0, 0, 1, 0, 0])
        seen.add(int(pasted.sum()))
    assert len(seen) > 10


def test_both_are_used_where_both_are_on() -> None:
    augment = Augment("none", PHOTO, 5, mixup=0.8, cutmix=1.0)
    flat = torch.tensor([0, 200], dtype=torch.uint8)[:, None, None, None].expand(2, 32, 32, 3)
    whole = Batch(flat, torch.tensor([0, 1]), 0, 2)
    levels = [len(augment(whole, (step,))[0].unique()) for step in range(40)]
    blended = sum(augment(whole, (step,))[0][0].unique().numel() == 1 for step in range(40))
    assert max(levels) == 2
    assert 8 <= blended <= 32


def test_mixing_refuses_slices_that_part_neighbours() -> None:
    augment = Augment("none", PHOTO, 5, mixup=0.8)
    whole = batch(PHOTO, 10)
    for start, stop in ((0, 5), (5, 10), (1, 2)):
        with pytest.raises(InputError, match="even number"):
            augment(part(whole, start, stop), (0,))


def test_erasing_covers_what_deit_says() -> None:
    vit = replace(PHOTO, image_size=64, patch_size=16)
    drawn = draw_erasures(np.random.default_rng(0), 4000, vit)
    top, left, bottom, right = drawn.boxes.T
    assert (drawn.boxes >= 0).all() and (drawn.boxes <= 64).all()
    area = ((bottom - top) * (right - left) / 64**2)[bottom > top]
    assert len(area) / 4000 == pytest.approx(ERASE, abs=0.03)
    assert ERASE_AREA[0] * 0.8 < area.min() < 0.03 and 0.3 < area.max() < ERASE_AREA[1] * 1.1
    gray = torch.full((4000, 4, 4, 1), 7.0)
    tiny = draw_erasures(np.random.default_rng(1), 4000, replace(GRAY, image_size=4, patch_size=4))
    covered = (erased(gray, tiny) != 7).sum(dim=(1, 2, 3)).numpy()
    sides = tiny.boxes[:, 2:] - tiny.boxes[:, :2]
    assert (covered <= sides.prod(axis=1)).all() and covered.sum() > 0.9 * sides.prod(axis=1).sum()


def pillow(name: str, picture: Image.Image, sign: float) -> Image.Image:
    """The same operation at strength 0.9, as timm asks Pillow for it."""
    enhancers = {
        "saturation": ImageEnhance.Color,
        "contrast": ImageEnhance.Contrast,
        "brightness": ImageEnhance.Brightness,
        "sharpness": ImageEnhance.Sharpness,
    }
    if name in enhancers:
        return enhancers[name](picture).enhance(1 + 0.81 * sign)
    whole = {
        "auto_contrast": ImageOps.autocontrast,
        "equalize": ImageOps.equalize,
        "invert": ImageOps.invert,
        "posterize": lambda p: ImageOps.posterize(p, 1),
        "solarize": lambda p: ImageOps.solarize(p, 256 - 230),
        "solarize_add": lambda p: p.point(lambda v: min(255, v + 99) if v < 128 else v),
    }
    if name in whole:
        return whole[name](picture)
    size, colour = picture.size, tuple(round(255 * m) for m in PHOTO.mean)
    if name == "rotate":
        return picture.rotate(27 * sign, Image.Resampling.BILINEAR, fillcolor=colour)
    middle = size[0] / 2
    shear, move = -0.27 * sign, -round(0.9 * 0.45 * size[0]) * sign
    affine = {
        "shear_x": (1, shear, -shear * middle, 0, 1, 0),
        "shear_y": (1, 0, 0, shear, 1, -shear * middle),
        "translate_x": (1, 0, move, 0, 1, 0),
        "translate_y": (1, 0, 0, 0, 1, move),
    }[name]
    return picture.transform(
        size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=colour
    )


@pytest.mark.parametrize("name", randaugment.OPERATIONS)
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_each_operation_is_what_pillow_makes(name: str, sign: float) -> None:
    blurred = np.cumsum(noise(PHOTO, 2).astype(int) - 127, axis=1)
    pixels = np.clip(127 + blurred // 4, 3, 240).astype(np.uint8)
    operation = np.full((2, 2), randaugment.NONE)
    operation[0] = list(randaugment.OPERATIONS).index(name)
    choice = randaugment.Choice(operation, np.full((2, 2), 0.9), np.full((2, 2), sign))
    planes = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    ours = randaugment.randaugment(planes, choice, PHOTO).permute(0, 2, 3, 1).numpy()
    theirs = np.stack([np.asarray(pillow(name, Image.fromarray(p), sign)) for p in pixels])
    apart = np.abs(ours.astype(int) - theirs)
    if name in ("rotate", "shear_x", "shear_y", "translate_x", "translate_y"):
        inner = apart[:, 4:-4, 4:-4]  # Pillow does not blend the border with the fill
        # where the border came in, and within a pixel of it, the two differ by the blend
        assert np.median(inner) <= 1 and np.mean(inner > 12) < 0.12
    else:
        assert apart.max() <= 1
    assert not np.array_equal(ours, pixels)


def test_magnitudes_and_shares_of_what_is_drawn() -> None:
    drawn = randaugment.draw(np.random.default_rng(0), 20_000)
    applied = drawn.operation != randaugment.NONE
    assert applied.mean() == pytest.approx(0.5, abs=0.01)
    counts = np.bincount(drawn.operation[applied], minlength=15)
    assert counts.min() > 0.9 * counts.mean() and len(counts) == 15
    assert drawn.strength.mean() == pytest.approx(0.9, abs=0.01) and drawn.strength.max() == 1
    assert drawn.sign.mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "flop"}, r"augmentation is 'flop' \(did you mean flip\?\)"),
        ({"mixup": -1.0}, "mixup is -1.0"),
        ({"mixup": float("nan")}, "mixup is nan"),
        ({"cutmix": 11}, "cutmix is 11"),
        ({"smoothing": 1.0}, "smoothing is 1.0"),
        ({"vit": replace(RGB, channels=2, mean=(0.5,) * 2, std=(0.5,) * 2)}, "1 or 3 channels"),
        ({"vit": replace(RGB, image_size=2, patch_size=2)}, "3 x 3 pixels"),
    ],
)
def test_wrong_requests(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Augment(**{"policy": "deit", "vit": PHOTO, "classes": 5, **arguments})


@pytest.mark.parametrize("key", ["mixup", "cutmix", "smoothing"])
def test_what_a_recipe_may_say_a_run_can_do(key: str) -> None:
    """One bound for each number: the largest that a recipe takes begins a run, no larger does."""
    largest = rules(Recipe)[key].high
    (last,) = recipe.load("one_shot").stages
    allowed = getattr(Recipe("r", (last,), **{key: largest}), key)
    pixels, targets = Augment("none", RGB, 4, **{key: allowed})(batch(RGB, 8), (0,))
    assert torch.isfinite(pixels).all() and targets.sum(1).tolist() == pytest.approx([1.0] * 8)
    for refuse in (lambda v: Recipe("r", (last,), **v), lambda v: Augment("none", RGB, 4, **v)):
        with pytest.raises(InputError, match=f"{key} is "):
            refuse({key: largest * 1.01})


def test_the_policy_follows_the_data() -> None:
    assert [auto(d) for d in ("digits", "Shapes", "some/folder")] == ["shift", "flip", "deit"]
