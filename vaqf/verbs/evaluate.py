"""The verb evaluate: what an integer network says of images."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from vaqf.evaluation.answer import Evaluation, is_evaluation
from vaqf.reporting import Report, silent


def evaluate(
    weights: str | Path,
    data: str | None = None,
    images: int | None = None,
    float_model: str | Path | None = None,
    use_torch: bool = False,
    out: str | Path | None = None,
    force: bool = False,
    labels: str | Path | None = None,
    weights_key: str | None = None,
    report: Report = silent,
) -> Evaluation:
    """Run an integer network on images: the very numbers the hardware gives.

    `float_model`: the file of the same model in floats (by timm's names), to compare with; needs
    torch; `weights_key`: which weights of a torch file that holds several. `use_torch` runs the
    integers in torch, on a GPU where there is one: the same logits. `labels`: a file of the
    pictures' classes, in the place of class folders (docs/inputs.md). `out` gets the JSON of the
    result.
    """
    import json

    from vaqf.evaluation import run
    from vaqf.files import output
    from vaqf.images import data as pictures
    from vaqf.network import networkfile
    from vaqf.verbs import networks

    networks.check_key(weights_key, float_model is not None)
    network = networkfile.read(Path(weights))
    teacher = None
    if float_model is not None:
        path = Path(float_model)
        teacher = run.float_model(path, network.vit, weights_key)
        own = networks.as_described(path, network.vit)[1]
        said = (f"{note}: taken are the network's, for both models" for note in own)
        teacher = replace(teacher, notes=(*teacher.notes, *said))
    chosen = pictures.load(data, network.vit, images, labels)
    place = None if out is None else Path(out)
    with (
        nullcontext() if place is None else output.new_file(place, force, is_evaluation) as partial
    ):
        found = run.run(network, chosen, teacher, use_torch, report)
        if partial is not None:
            text = json.dumps(found.to_json(), indent=2, allow_nan=False)
            partial.write_text(f"{text}\n", encoding="utf-8")
    return found
