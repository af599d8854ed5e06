"""Training of binary-weight vision transformers; the only package of the project with torch."""

from importlib.util import find_spec

from vaqf.errors import ToolMissing


def require() -> None:
    """Raise ToolMissing unless torch and Brevitas are installed; call before importing a module."""
    _require(
        ("torch", "brevitas"),
        "train, export, evaluate --torch and .pth weights need it: pip install 'vaqf[quant]';"
        " every other verb and .safetensors work without it",
    )


def require_training() -> None:
    """Raise ToolMissing unless what training imports is installed."""
    require()
    _require(
        ("kornia", "matplotlib"),
        "train and sweep need it: pip install 'vaqf[quant]'; export works without it",
    )


def require_qonnx() -> None:
    """Raise ToolMissing unless what vaqf.quant.files.qonnx imports is installed."""
    require()
    _require(
        ("onnx",),
        "export --qonnx needs it: pip install 'vaqf[qonnx]'; export without --qonnx works"
        " without it",
    )


def _require(packages: tuple[str, ...], why: str) -> None:
    for package in packages:
        if find_spec(package) is None:
            raise ToolMissing(f"{package} is not installed, and {why}")
