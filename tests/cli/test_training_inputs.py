"""The verb train: which data, models and teachers are brought, and what is said of them."""

import json
from pathlib import Path

import pytest
import yaml
from safetensors.numpy import load_file, save_file

torch = pytest.importorskip("torch")
pytest.importorskip("brevitas")
pytest.importorskip("sklearn")

from training_runs import QUICK, Capture, made, sentence, train  # noqa: E402

import vaqf  # noqa: E402
from vaqf.cli import app  # noqa: E402
from vaqf.quant.files import checkpoint  # noqa: E402

pytestmark = pytest.mark.usefixtures("here")


def test_mnist5k_trains_and_is_judged_by_its_test_images(capsys: Capture) -> None:
    assert train(*QUICK, "-o", "x.pt", "--json", data="mnist5k") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["images"], document["epochs"], document["augment"]) == (1000, 2, "shift")
    assert app.main(["export", "x.pt"]) == 0
    found = vaqf.evaluate("x.safetensors", "mnist5k")
    assert (found.correct, found.network.vit.class_names) == (
        document["correct"],
        tuple("0123456789"),
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "-d", "digits"], "--model is missing"),
        (["train", "-m", "small.yaml"], "--data is missing"),
        (["train", "-m", "small.yaml", "-d", "digit"], "digit"),
        (["train", "-m", "deit_tiny", "-d", "digits"], "digits has 10 classes"),
        (["train", "-m", "small.yaml", "-d", "shapes"], "classes"),
        (["train", "-m", "small.yaml", "-d", "http://host/x"], "only folders on this machine"),
    ],
)
def test_wrong_models_and_data(words: list[str], message: str, here: Path, capsys: Capture) -> None:
    assert app.main(words) == 2
    assert message in sentence(capsys)
    assert made(here) == set()


def test_a_network_knows_its_classes_by_name(here: Path, capsys: Capture) -> None:
    """From the folders it learned from to every verb that judges: no label is a guess."""
    from PIL import Image

    names = [f"class{n}" for n in range(10)]
    for split in ("train", "val"):
        for label, name in enumerate(names):
            (here / split / name).mkdir(parents=True)
            for i in range(2):
                Image.new("L", (8, 8), 25 * label + i).save(here / split / name / f"{i}.png")
    assert train("--epochs", "2", "--set", "batch=20", "-o", "w.pt", data=".") == 0
    assert app.main(["export", "w.pt"]) == 0
    found = vaqf.evaluate("w.safetensors", ".")
    assert found.network.vit.class_names == tuple(names)
    assert found.labels is not None
    assert found.labels.tolist() == [label for label in range(10) for _ in range(2)]
    for name in names[:-2]:
        (here / "val" / name).rename(here / name)
    capsys.readouterr()
    few = vaqf.evaluate("w.safetensors", "val")
    assert few.labels is not None
    assert few.labels.tolist() == [8, 8, 9, 9]
    assert few.classes.tolist() == found.classes.tolist()[-4:]
    build = ["build", "-w", "w.safetensors", "-b", "zcu102", "--data", "val", "-o", "p", "--json"]
    assert app.main(build) == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert "no folder for 8 of 10 classes: 'class0'" in note
    assert json.loads((here / "p/golden/labels.json").read_text())["labels"] == [8, 8, 9, 9]
    assert app.main(["predict", "p", "val/class9/0.png", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["names"] == [names[label] for label in answer["classes"]]
    (here / "val/class8").rename(here / "val/classes")
    assert app.main(["evaluate", "w.safetensors", "--data", "val"]) == 2
    assert "'classes' (did you mean class" in sentence(capsys)


def test_first_frames_are_told(here: Path, capsys: Capture) -> None:
    """Those to learn from and those to judge by, read by worker processes."""
    from PIL import Image

    for split in ("train", "val"):
        for label in range(10):
            (here / split / str(label)).mkdir(parents=True)
            flat = Image.new("L", (8, 8), 25 * label)
            moving = {"save_all": True, "append_images": [Image.new("L", (8, 8), 3)]}
            flat.save(here / split / str(label) / "0.gif", **(moving if label == 7 else {}))
    words = ["--epochs", "1", "--set", "batch=10", "--workers", "1", "-o", "w.pt"]
    assert train(*words, "--json", data=".") == 0
    told = (
        "2 pictures are animated or have pages; the first frame of each was taken: 'train/7/0.gif',"
        " 'val/7/0.gif'"
    )
    document = json.loads(capsys.readouterr().out)
    assert document["notes"][1] == told
    assert document["animated"] == ["train/7/0.gif", "val/7/0.gif"]
    assert train(*words, "--force", data=".") == 0
    assert f"note: {told}\n" in capsys.readouterr().out


def test_a_teachers_preprocessing_is_the_students(here: Path, capsys: Capture) -> None:
    assert train("-o", "t.pt", *QUICK) == 0
    save_file(load_file("t.float.safetensors"), "theirs.safetensors")
    settings = {"size": {"shortest_edge": 8}, "crop_size": 8, "do_center_crop": True, "resample": 3}
    settings |= {"image_mean": [0.5], "image_std": [0.25]}
    (here / "preprocessor_config.json").write_text(json.dumps(settings))
    words = ["--teacher", "theirs.safetensors", "-o", "s.pt", *QUICK]
    capsys.readouterr()
    assert train(*words, "--json") == 0
    assert json.loads(capsys.readouterr().out)["notes"][0] == (
        "preprocessing of theirs.safetensors from preprocessor_config.json: std 0.25 (not 0.5)"
    )
    assert checkpoint.export(here / "s.pt").vit.std == (0.25,)
    settings["do_rescale"] = False
    (here / "preprocessor_config.json").write_text(json.dumps(settings))
    assert train(*words, "--force") == 2
    assert "the network takes pixels / 255" in sentence(capsys)


def test_a_model_with_other_class_names_than_the_data(here: Path, capsys: Capture) -> None:
    described = yaml.safe_load((here / "small.yaml").read_text())
    described["class_names"] = list("0123456798")
    (here / "small.yaml").write_text(yaml.safe_dump(described))
    assert train(*QUICK) == 2
    assert "class 8 is '9' in small and '8' in the data" in sentence(capsys)


def test_a_checkpoint_given_to_build_points_to_export(here: Path, capsys: Capture) -> None:
    assert train(*QUICK) == 0
    capsys.readouterr()
    assert app.main(["build", "--weights", "small_w1a8.pt", "-b", "zcu102"]) == 2
    assert "a checkpoint of vaqf train; vaqf export makes the network" in sentence(capsys)
