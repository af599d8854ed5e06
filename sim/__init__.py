"""What proves the hardware: the integer reference, C simulation, RTL simulation, synthesis."""
