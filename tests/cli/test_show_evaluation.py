"""The lines of an evaluation, from small documents."""

import pytest

from vaqf.cli.show import evaluation

DOCUMENT = {
    "model": "small",
    "act_bits": 4,
    "weights": "trained on digits",
    "data": "digits, test split",
    "unreadable": {},
    "notes": [],
    "class_names": None,
    "images": 360,
    "correct": 355,
    "classes": [],
    "top1": 355 / 360,
    "top5": 0.999,
    "mean_confidence": 0.96,
    "ece": 0.021,
    "per_class": [
        {"class": 0, "images": 0, "predicted": 1, "correct": 0, "recall": None, "precision": 0.0},
        {"class": 1, "images": 5, "predicted": 4, "correct": 4, "recall": 0.8, "precision": 1.0},
        {"class": 2, "images": 2, "predicted": 2, "correct": 1, "recall": 0.5, "precision": 0.5},
        {"class": 3, "images": 2, "predicted": 2, "correct": 2, "recall": 1.0, "precision": 1.0},
    ],
    "confusion": None,
    "agreement": None,
    "quantizers": [{"name": "embed", "findings": []}],
}


def shown(capsys: pytest.CaptureFixture[str], **changes: object) -> list[str]:
    evaluation.lines({**DOCUMENT, **changes}, quiet=False)
    return capsys.readouterr().out.splitlines()


def test_a_good_network_is_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == [
        "small w1a4, trained on digits",
        "images: digits, test split",
        "355 of 360 (98.6 %) images correct",
        "top-5: 99.9 %; mean confidence 96.0 %, expected calibration error 2.1 %",
        "worst classes: 2 (recall 50.0 %), 1 (recall 80.0 %)",
        "1 quantizer: none saturates, all use their range",
    ]


def test_what_there_is_not_takes_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, top5=None, per_class=DOCUMENT["per_class"][3:])
    assert lines[3] == "mean confidence 96.0 %, expected calibration error 2.1 %"
    assert len(lines) == 5


def test_many_images_without_labels(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = dict.fromkeys(("correct", "top1", "top5", "ece", "per_class"))
    lines = shown(capsys, **nothing, images=21, classes=list(range(21)))
    assert lines[2].startswith("21 images without labels; the first 20 classes: [0, 1, ")
    assert lines[3] == "mean confidence 96.0 %"
    assert shown(capsys, **nothing, images=1, classes=[7])[2] == (
        "1 image without labels; classes: [7]"
    )


def test_the_float_model(capsys: pytest.CaptureFixture[str]) -> None:
    agreement = {"float": "f.pth", "same": 357, "float_correct": 356, "mean_kl": 0.01234}
    assert shown(capsys, agreement=agreement)[-2] == (
        "float model f.pth: 356 of 360 (98.9 %) correct; the same class for 357 of 360 (99.2 %), "
        "mean KL divergence 0.0123 nats"
    )
    assert shown(capsys, agreement=agreement | {"float_correct": None})[-2].startswith(
        "float model f.pth: the same class for 357 of 360"
    )


def test_quantizers_that_look_wrong_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    one = {"name": "blocks.0.attn.q", "findings": ["low", "high"]}
    assert shown(capsys, quantizers=[one, {"name": "embed", "findings": []}])[-1] == (
        "1 of 2 quantizers looks wrong: blocks.0.attn.q saturated at its low end and saturated at "
        "its high end; --tables shows them"
    )
    narrow = [{"name": f"q{i}", "findings": ["narrow"]} for i in range(5)]
    assert shown(capsys, quantizers=narrow)[-1] == (
        "5 of 5 quantizers look wrong: q0 uses little of its range, q1 uses little of its range, "
        "q2 uses little of its range, and 2 more; --tables shows them"
    )


def test_pictures_that_were_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, unreadable={f"a/{i}.png\x1b[2J": "broken" for i in range(7)})
    assert lines[2] == (
        "left out, cannot be read: 7 pictures (a/0.png\\x1b[2J: broken; a/1.png\\x1b[2J: broken; "
        "a/2.png\\x1b[2J: broken; a/3.png\\x1b[2J: broken; a/4.png\\x1b[2J: broken; and 2 more)"
    )


def test_classes_have_the_networks_names(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, class_names=["ant", "bee", "cat", "dog"])
    assert "worst classes: cat (recall 50.0 %), bee (recall 80.0 %)" in lines


def test_what_is_known_of_the_labels_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, notes=["no folder for\n'cat'"])[2] == "note: no folder for 'cat'"
