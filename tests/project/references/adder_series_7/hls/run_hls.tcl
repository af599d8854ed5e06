# gray, w1a4, adder engine 1x1x128: C simulation, synthesis, co-simulation and export with the vendor's tool.
#
#   vitis-run --mode hls --tcl run_hls.tcl     Vitis 2024.2 and later
#   vitis_hls -f run_hls.tcl                   Vitis HLS 2020.2 and later
#
# Steps are chosen by words, on the command line where the tool passes it on, or in VAQF_HLS:
#
#   VAQF_HLS="csim=1 cosim=1 frames=1" vitis-run --mode hls --tcl run_hls.tcl
#
#   csim=0|1     run the test bench on golden's images      default 0
#   csynth=0|1   synthesize                                 default 1
#   cosim=0|1    simulate the RTL against golden's logits   default 0, hours for a large network
#   export=0|1   package the IP for Vivado                  default 1
#   frames=N     images of csim and cosim, 0 for all        default 1; cosim takes 1
#
# It works from any directory. Exit code 1 and one line that starts with "error:" when a step fails.

proc vaqf_options {words} {
  set options [dict create csim 0 csynth 1 cosim 0 export 1 frames 1]
  foreach word $words {
    # anything else is the tool's own, such as "-f run_hls.tcl"
    if {![regexp {^([a-z]+)=(.*)$} $word -> name value]} continue
    if {![dict exists $options $name]} {
      error "unknown option $name; use csim, csynth, cosim, export or frames"
    }
    switch -- $name {
      frames {
        set good [regexp {^[0-9]{1,6}$} $value]
        set allowed "a whole number"
      }
      default {
        set good [expr {$value in {0 1}}]
        set allowed "0 or 1"
      }
    }
    if {!$good} { error "$name is \"$value\"; it must be $allowed" }
    dict set options $name $value
  }
  if {[dict get $options cosim] && [dict get $options frames] != 1} {
    error "cosim simulates one frame; leave out frames or set frames=1"
  }
  return $options
}

# This script's folder: some front ends source a copy, so the working directory is tried too.
proc vaqf_folder {script} {
  foreach folder [list [file dirname [file normalize $script]] [pwd]] {
    if {[file isfile [file join $folder vaqf_accelerator.cpp]]} {
      if {[regexp {\s} $folder]} {
        error "the folder \"$folder\" has a space in its name; move the project, the tool cannot read it there"
      }
      return $folder
    }
  }
  error "vaqf_accelerator.cpp is not beside run_hls.tcl; run the script in the project's hls folder"
}

proc vaqf_files {folder names} {
  set paths {}
  foreach name $names {
    set path [file normalize [file join $folder $name]]
    if {![file isfile $path]} { error "$path is missing; build the project again" }
    lappend paths $path
  }
  return $paths
}

proc vaqf_check_tool {program} {
  if {[string match *vivado_hls* [file tail $program]]} {
    error "vivado_hls cannot hold this design's memories; use Vitis HLS 2020.2 or later"
  }
}

proc vaqf_run {script words} {
  set options [vaqf_options $words]
  set folder [vaqf_folder $script]
  vaqf_check_tool [info nameofexecutable]
  # include/native is for g++ alone: the tool has an ap_int.h and an hls_stream.h of its own
  set flags "-std=c++14 -I$folder/include -I$folder"
  set kernel [vaqf_files $folder vaqf_accelerator.cpp]
  set bench [vaqf_files $folder testbench.cpp]
  set steps {}
  foreach step {csim csynth cosim export} {
    if {[dict get $options $step]} { lappend steps $step }
  }
  puts "vaqf: steps: $steps"

  cd $folder
  # without synthesis the results of an earlier run are needed
  set reset [expr {[dict get $options csynth] ? "-reset" : ""}]
  open_project {*}$reset vaqf_hls
  set_top vaqf_accelerator
  add_files -cflags $flags {*}$kernel
  add_files -tb -cflags "$flags -Wno-unknown-pragmas" {*}$bench
  open_solution {*}$reset -flow_target vivado solution1
  set_part xc7z020clg400-1
  create_clock -period 7.692 -name default
  config_interface -m_axi_addr64

  set data {}
  if {[dict get $options csim] || [dict get $options cosim]} {
    set data [vaqf_files $folder {
      ../weights/weights.bin ../weights/commands.bin ../golden/images.bin ../golden/logits.bin
    }]
  }
  set frames [dict get $options frames]
  set limit [expr {$frames > 0 ? "--frames $frames" : ""}]
  if {[dict get $options csim]} {
    set layers [vaqf_files $folder ../golden/layers.bin]
    csim_design -O -argv [string trim "$data $layers $limit"]
  }
  if {[dict get $options csynth]} {
    csynth_design
  }
  if {[dict get $options cosim]} {
    # layers are seen in C only
    cosim_design -argv "$data $limit"
  }
  if {[dict get $options export]} {
    export_design -format ip_catalog
  }
  set report [file join $folder vaqf_hls solution1 syn report vaqf_accelerator_csynth.rpt]
  if {[file isfile $report]} { puts "vaqf: report: $report" }
  close_project
}

set vaqf_words [expr {[info exists ::argv] ? [join $::argv " "] : ""}]
if {[info exists ::env(VAQF_HLS)]} { append vaqf_words " " $::env(VAQF_HLS) }
if {[catch {vaqf_run [info script] [regexp -all -inline {\S+} $vaqf_words]} vaqf_message]} {
  puts stderr "error: $vaqf_message"
  exit 1
}
exit 0
