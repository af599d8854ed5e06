"""The RTL through Yosys: synthesized unit by unit, its primitives counted; reports of Vivado."""
