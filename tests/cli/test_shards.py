"""Shards from training to simulation: one set of classes, and what is left out is told."""

import json
from pathlib import Path

import pytest
from answers import Captured, answer
from tars import archive, picture

pytest.importorskip("torch")
pytest.importorskip("brevitas")

from small_runs import model_file

from vaqf.images.images import evenly

NAMES = [f"class{n}" for n in range(10)]


def shards(place: Path, order: list[str], suffix: str) -> None:
    """Two pictures of each class; labels are numbers in an order of classes, or names."""
    for split in ("train", "validation"):
        files = {}
        for number in range(20):
            name = NAMES[number // 2]
            files[f"n{number:02}.png"] = picture(25 * (number // 2) + number % 2)
            files[f"n{number:02}.{suffix}"] = (
                b"%d" % order.index(name)
                if suffix == "cls"
                else json.dumps({"label": name, "key": "x"}).encode()
            )
        archive(place / f"set-{split}-00.tar", files, "w:gz")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network trained on shards with class names, and the same in another order by numbers."""
    place = tmp_path_factory.mktemp("shards")
    model_file(place)
    shards(place / "named", NAMES, "json")
    (place / "named/overview.png").write_bytes(b"")
    order = NAMES[::-1]
    shards(place / "numbered", order, "cls")
    (place / "numbered/val.json").write_text(json.dumps({"images": 20, "classes": order}))
    return place


def test_from_training_to_simulation(home: Path, capsys: Captured) -> None:
    words = ["-m", home / "small.yaml", "-d", home / "named", "-o", home / "w.pt"]
    quick = ["--epochs", "2", "--set", "batch=20"]
    code, out, _ = answer(capsys, "train", *words, *quick)
    note = f"left out, beside the shards of {home / 'named'}: 'overview.png'"
    assert code == 0
    assert f"\nnote: {note}\n" in out
    code, out, _ = answer(capsys, "train", *words, *quick, "--resume", "--json")
    first, *_ = json.loads(out)["notes"]  # of the data; then that two epochs are few
    assert (code, first, json.loads(out)["images"]) == (0, note, 20)
    assert answer(capsys, "export", home / "w.pt", "-o", home / "w.safetensors")[0] == 0
    found = {}
    for kind in ("named", "numbered"):
        words = ["evaluate", home / "w.safetensors", "--data", home / kind, "--json"]
        code, out, _ = answer(capsys, *words)
        found[kind] = json.loads(out)
        assert (code, found[kind]["class_names"]) == (0, NAMES)
        assert [c["images"] for c in found[kind]["per_class"]] == [2] * 10
    assert found["named"]["classes"] == found["numbered"]["classes"]
    assert found["named"]["correct"] == found["numbered"]["correct"]

    build = ["build", "-w", home / "w.safetensors", "-b", "zcu102", "-o", home / "p", "--json"]
    code, out, _ = answer(capsys, *build, "--data", home / "numbered", "--images", "5")
    assert (code, json.loads(out)["data"], json.loads(out)["unreadable"]) == (
        0,
        "shards of val",
        {},
    )
    kept = json.loads((home / "p/golden/labels.json").read_text())
    assert kept["labels"] == [number // 2 for number in evenly(20, 5)]
    one = home / "named/set-validation-00.tar"
    code, out, _ = answer(capsys, "csim", home / "p", "--data", one, "--images", "4", "--json")
    assert code == 0
    assert json.loads(out)["mismatches"] == 0
    classes = found["named"]["classes"]
    assert json.loads(out)["classes"] == [classes[number] for number in evenly(20, 4)]
