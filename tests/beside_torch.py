"""timm, torchvision and transformers, whichever build of torch is installed.

PyPI's torchvision is compiled for one build of torch. Beside another (the CPU's) its compiled part
does not load, and its import stops at operators that nobody declared, that of transformers too.
None of them is used here: declared, they let the import go on; transforms and models are Python.
"""

import importlib
import os
import sys

import torch

os.environ["HF_HUB_OFFLINE"] = "1"
try:
    importlib.import_module("torchvision")
except RuntimeError:
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    importlib.import_module("torchvision")

import timm
import torchvision
import transformers

__all__ = ["timm", "torchvision", "transformers"]
