"""Place and route by open tools: Yosys and nextpnr for an ECP5, a device that both know whole."""
