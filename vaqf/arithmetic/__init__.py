"""What a number of the accelerator may be: widths, limits, constant tables."""
