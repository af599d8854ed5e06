# The clock that small, w1a8, table engine 1x1x128 was built for, in ns.
create_clock -name ap_clk -period 3.086 [get_ports ap_clk]
