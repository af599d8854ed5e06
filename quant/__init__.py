"""Training of binary-weight vision transformers; the only package of the project with torch."""

from importlib.util import find_spec

from vaqf.errors import ToolMissing


def require() -> None:
    """Raise ToolMissing unless torch and Brevitas are installed; call before importing a module."""
    for package in ("torch", "brevitas"):
        if find_spec(package) is None:
            raise ToolMissing(
                f"{package} is not installed, and train, export and .pth weights need it:"
                " pip install 'vaqf[quant]'; every other verb and .safetensors work without it"
            )
