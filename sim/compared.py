"""What a simulation of a project showed beside golden."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Compared:
    """One simulation, compared with golden."""

    frames: int
    layers: int  # compared, of the first frame
    mismatches: int  # values that differ
    findings: tuple[str, ...]  # one line per layer or frame that differs, or what broke the run
    logits: NDArray[np.int32]  # golden's, which the hardware's equal if mismatches is 0
    compile_seconds: float
    run_seconds: float

    def to_json(self) -> dict[str, Any]:
        """Counts, findings and seconds."""
        return {
            "images": self.frames,
            "layers": self.layers,
            "mismatches": self.mismatches,
            "findings": list(self.findings),
            "compile_seconds": round(self.compile_seconds, 3),
            "run_seconds": round(self.run_seconds, 3),
        }
