# The clock that odd, w1a6, table engine 3x1x128 was built for, in ns.
create_clock -name ap_clk -period 3.861 [get_ports ap_clk]
