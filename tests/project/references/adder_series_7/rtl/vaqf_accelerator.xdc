# The clock that the estimate of gray, w1a4, adder engine 1x1x128 promises, in ns.
create_clock -name ap_clk -period 8.696 [get_ports ap_clk]
