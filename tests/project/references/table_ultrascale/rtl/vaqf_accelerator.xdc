# The clock that the estimate of small, w1a8, table engine 1x1x128 promises, in ns.
create_clock -name ap_clk -period 3.534 [get_ports ap_clk]
