# gray, w1a4, adder engine 1x1x128 through Vivado, out of context, written by vaqf 0.1.0:
#     vivado -mode batch -source vivado.tcl
# From anywhere; checkpoints, reports and routed.tsv go to vivado/ beside this file, and
# `vaqf synth DIR --tool vivado` reads them. Ends with exit code 1 and a sentence if timing (setup,
# hold or pulse width) is not met. Tcl 8.5, which Vivado 2020.2 has. Not run with the vendor's tool.
set here [file dirname [file normalize [info script]]]
set out [file join $here vivado]
set record [file join $out routed.tsv]

# CRC-32 of the bytes of some files, one behind the other; zlib comes with Tcl 8.6 only.
proc crc32 {paths} {
  set table {}
  for {set i 0} {$i < 256} {incr i} {
    set value $i
    for {set bit 0} {$bit < 8} {incr bit} {
      set value [expr {($value >> 1) ^ (($value & 1) * 0xEDB88320)}]
    }
    lappend table $value
  }
  set crc 0xFFFFFFFF
  foreach path $paths {
    set file [open $path rb]
    binary scan [read $file] cu* bytes
    close $file
    foreach byte $bytes {
      set crc [expr {($crc >> 8) ^ [lindex $table [expr {($crc ^ $byte) & 255}]]}]
    }
  }
  return [format %08x [expr {$crc ^ 0xFFFFFFFF}]]
}

# What was implemented, and its worst paths: whole at the end of a run, or not there.
proc write_record {record lines} {
  set file [open $record.partial w]
  fconfigure $file -encoding utf-8 -translation lf
  foreach line $lines { puts $file [join $line "\t"] }
  close $file
  file rename -force $record.partial $record
}

file mkdir $out
file delete $record
set sources {}
set list [open [file join $here vaqf_accelerator.f]]
foreach name [split [string trim [read $list]] "\n"] { lappend sources [file join $here $name] }
close $list
foreach source $sources { read_verilog -sv $source }
lappend sources [file join $here vaqf_accelerator.xdc]
read_xdc -mode out_of_context [lindex $sources end]
set read [crc32 $sources]

synth_design -mode out_of_context -top vaqf_accelerator -part xc7z020clg400-1
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

set lines [list \
  [list vaqf 1] \
  [list version [version -short]] \
  [list top [get_property TOP [current_design]]] \
  [list part [get_property PART [current_design]]] \
  [list clock_ns [get_property PERIOD [get_clocks ap_clk]]] \
  [list routed [report_route_status -boolean_check ROUTED_FULLY]] \
  [list sources $read] \
  [list utilization.rpt [crc32 [list [file join $out utilization.rpt]]]] \
  [list timing_summary.rpt [crc32 [list [file join $out timing_summary.rpt]]]]]
foreach path [get_timing_paths -setup -max_paths 10 -nworst 1 -unique_pins] {
  set line path
  foreach name {SLACK DATAPATH_DELAY DATAPATH_LOGIC_DELAY LOGIC_LEVELS STARTPOINT_PIN ENDPOINT_PIN} { lappend line [get_property $name $path] }
  lappend lines $line
}
lappend lines end
write_record $record $lines

foreach kind {setup hold} {
  set slack [get_property SLACK [get_timing_paths -$kind -max_paths 1]]
  if {$slack < 0} {
    puts "vaqf_accelerator does not meet 7.692 ns on xc7z020clg400-1: $kind slack $slack ns; see [file join $out paths.rpt]"
    exit 1
  }
  puts "vaqf_accelerator meets 7.692 ns on xc7z020clg400-1: $kind slack $slack ns"
}
# pulse widths have no paths to ask for: the summary judges all three
set summary [open [file join $out timing_summary.rpt]]
set judged [read $summary]
close $summary
if {![regexp {All user specified timing constraints are met} $judged]} {
  puts "vaqf_accelerator does not meet 7.692 ns on xc7z020clg400-1: pulse width; see [file join $out timing_summary.rpt]"
  exit 1
}
