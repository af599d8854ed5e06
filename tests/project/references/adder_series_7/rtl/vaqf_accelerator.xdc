# The clock that gray, w1a4, adder engine 1x1x128 was built for, in ns.
create_clock -name ap_clk -period 7.692 [get_ports ap_clk]
