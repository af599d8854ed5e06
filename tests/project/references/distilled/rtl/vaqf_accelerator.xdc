# The clock that the estimate of odd, w1a6, table engine 3x1x128 promises, in ns.
create_clock -name ap_clk -period 4.425 [get_ports ap_clk]
