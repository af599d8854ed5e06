"""Templates filled with the constants of one design."""

from typing import Any

import vaqf
from vaqf.files.paths import HLS_PROJECT, RTL_PROJECT
from vaqf.hardware.command import FIELDS, Dest, Opcode, Source, Status
from vaqf.hardware.config import constants, tables
from vaqf.hardware.design import Design
from vaqf.project.blob import Blob

TOP = "vaqf_accelerator"


def _camel(name: str) -> str:
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def design_title(design: Design, model: str) -> str:
    """What a generated file says that it is for."""
    shape = f"{design.tokens}x{design.pe}x{design.simd}"
    return f"{model}, w1a{design.act_bits}, {design.engine} engine {shape}"


def clock_ns(clock_mhz: float) -> str:
    """A clock's period as tools' scripts have it."""
    return f"{1e3 / clock_mhz:.3f}"


def _literal(value: int, bits: int) -> str:
    return f"{bits}'d{value}"


def render(name: str, **values: Any) -> str:
    """A template of hls_templates/project or rtl/project, filled; a missing value is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([HLS_PROJECT, RTL_PROJECT]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["camel"] = _camel
    environment.filters["literal"] = _literal
    return environment.get_template(name).render(version=vaqf.__version__, **values)


def _codes() -> dict[str, int]:
    """Enum members as constants: op_matmul, source_pixels, dest_qkv, blob_weights, ..."""
    kinds = {"op": Opcode, "source": Source, "dest": Dest, "status": Status, "blob": Blob}
    return {
        f"{prefix}_{member.name.lower()}": int(member)
        for prefix, kind in kinds.items()
        for member in kind
    }


def design_constants(design: Design) -> dict[str, Any]:
    """What both flavours' generated constants are rendered from."""
    return {
        "engine": design.engine,
        "constants": constants(design),
        "tables": tables(),
        "codes": _codes(),
        "fields": FIELDS,
    }
