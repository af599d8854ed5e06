"""The commands models, boards and doctor."""

from dataclasses import asdict

import vaqf
from vaqf.cli.options import AsJson
from vaqf.cli.terminal import print_json


def models(as_json: AsJson = False) -> None:
    """List the models that are known by name."""
    from vaqf.model import workload

    rows = [
        {
            "name": m.name,
            "image_size": m.image_size,
            "patch_size": m.patch_size,
            "tokens": m.tokens,
            "dim": m.dim,
            "depth": m.depth,
            "heads": m.heads,
            "macs": sum(layer.macs for layer in workload.workload(m)),
        }
        for m in vaqf.models()
    ]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import lists as show

    show.models(rows)


def boards(as_json: AsJson = False) -> None:
    """List the boards that are known by name."""
    rows = [asdict(b) for b in vaqf.boards()]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import lists as show

    show.boards(rows)


def doctor(as_json: AsJson = False) -> None:
    """Which outside tools are here, and what works without them."""
    rows = [tool.to_json() for tool in vaqf.doctor()]
    if as_json:
        print_json(rows)
        return
    from vaqf.cli.show import lists as show

    show.tools(rows)
