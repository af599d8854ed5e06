"""The RTL on Verilator: compiled, run, compared with golden, its cycles measured."""
