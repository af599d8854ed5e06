"""How many cycles the RTL takes: pipelines, commands, the weight port, frames."""
