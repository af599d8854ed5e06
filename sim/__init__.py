"""What proves the hardware: the integer reference, C simulation and (later) RTL simulation."""
