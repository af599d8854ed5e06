"""How data lies in the accelerator's memory: alignment and sizes."""

from vaqf.arithmetic.widths import round_up
from vaqf.hardware.design import PORT_BITS

ALIGN = 64  # bytes; every block of the weight image, every frame of images and results
STATUS_BYTES = 64  # in front of the results


def patch_row_bytes(patch_inputs: int) -> int:
    """Bytes of one patch in memory: whole 128-bit words."""
    return round_up(patch_inputs, PORT_BITS // 8)


def logit_row_bytes(classes: int) -> int:
    """Bytes of one frame's logits in memory, int32 each."""
    return round_up(4 * classes, ALIGN)
