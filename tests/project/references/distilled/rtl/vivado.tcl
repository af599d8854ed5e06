# odd, w1a6, table engine 1x4x32 through Vivado, out of context, written by vaqf 0.1.0:
#     vivado -mode batch -source vivado.tcl
# From anywhere; checkpoints and reports go to vivado/ beside this file. Ends with exit code 1 and a
# sentence if timing is not met. Not run with the vendor's tool.
set here [file dirname [file normalize [info script]]]
set out [file join $here vivado]
file mkdir $out

set list [open [file join $here vaqf_accelerator.f]]
foreach name [split [string trim [read $list]] "\n"] {
  read_verilog -sv [file join $here $name]
}
close $list
read_xdc -mode out_of_context [file join $here vaqf_accelerator.xdc]

synth_design -mode out_of_context -top vaqf_accelerator -part xck26-sfvc784-2LV-c
write_checkpoint -force [file join $out synthesized.dcp]
report_utilization -file [file join $out synthesized_utilization.rpt]
report_utilization -hierarchical -file [file join $out synthesized_hierarchy.rpt]

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force [file join $out routed.dcp]
report_utilization -file [file join $out utilization.rpt]
report_timing_summary -file [file join $out timing_summary.rpt]
report_timing -max_paths 20 -nworst 1 -unique_pins -file [file join $out paths.rpt]

set slack [get_property SLACK [get_timing_paths -setup -max_paths 1]]
if {$slack < 0} {
  puts "vaqf_accelerator does not meet 6.667 ns on xck26-sfvc784-2LV-c: slack $slack ns; see [file join $out paths.rpt]"
  exit 1
}
puts "vaqf_accelerator meets 6.667 ns on xck26-sfvc784-2LV-c: slack $slack ns"
