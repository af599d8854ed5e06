# The clock that the estimate of odd, w1a6, table engine 1x4x32 promises, in ns.
create_clock -name ap_clk -period 6.667 [get_ports ap_clk]
