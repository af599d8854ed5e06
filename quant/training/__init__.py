"""Training: stages, runs, resuming, sweeps, processes."""
