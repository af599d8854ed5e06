"""Where boards/, hls_templates/ and rtl/ lie: inside the installed wheel or in the source tree."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOT = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent

BOARDS = _ROOT / "boards"
HLS_TEMPLATES = _ROOT / "hls_templates"
HLS_INCLUDE = HLS_TEMPLATES / "include"
HLS_PROJECT = HLS_TEMPLATES / "project"
RTL = _ROOT / "rtl"
RTL_PROJECT = RTL / "project"
RTL_ULX3S = RTL / "ulx3s"  # around the accelerator on one board
RTL_FOLDERS = sorted(path for path in RTL.iterdir() if path.is_dir() and path != RTL_PROJECT)


def rtl(name: str) -> Path:
    """The file of an RTL module or package, by its name."""
    (found,) = RTL.rglob(f"{name}.sv")
    return found
