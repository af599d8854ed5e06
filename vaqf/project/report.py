"""The estimate as files: JSON and CSV, under FINN's names where it has them."""

import csv
import json
from pathlib import Path
from typing import Any


def json_text(value: Any) -> str:
    """The form of every JSON file of a project: equal content, equal bytes."""
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def write_report(estimate: dict[str, Any], folder: Path) -> None:
    """The estimate as JSON and CSV, under FINN's file names where it has them."""
    layers = estimate["layers"]
    slowest = max(layers, key=lambda layer: layer["exposed_cycles"])
    performance = {
        "critical_path_cycles": round(estimate["latency_ms"] * estimate["clock_mhz"] * 1e3),
        "estimated_latency_ns": round(estimate["latency_ms"] * 1e6),
        "estimated_throughput_fps": estimate["fps"],
        "max_cycles": slowest["exposed_cycles"],
        "max_cycles_node_name": slowest["name"],
    }
    used = {name: entry["used"] for name, entry in estimate["resources"].items()}
    files = {
        "estimate.json": estimate,
        "estimate_layer_cycles.json": {layer["name"]: layer["cycles"] for layer in layers},
        "estimate_layer_resources.json": {"total": used},
        "estimate_network_performance.json": performance,
    }
    for name, content in files.items():
        (folder / name).write_text(json_text(content), encoding="utf-8")
    with (folder / "layers.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, list(layers[0]), lineterminator="\n")
        rows.writeheader()
        rows.writerows(layers)
