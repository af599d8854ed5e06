/// The top function that Vitis HLS synthesizes: odd, w1a6, table engine 3x1x128.
#pragma once

#include "vaqf/types.hpp"

/// Runs the command list for `n_frames` images; docs/accelerator.md describes the memories.
extern "C" void vaqf_accelerator(const vaqf::port_word_t* commands,
                                 const vaqf::weight_word_t* weights,
                                 const vaqf::port_word_t* images, vaqf::port_word_t* results,
                                 unsigned n_frames, unsigned n_commands);
