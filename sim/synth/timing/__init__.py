"""Static timing of a netlist before placement: nanoseconds from register to register."""
