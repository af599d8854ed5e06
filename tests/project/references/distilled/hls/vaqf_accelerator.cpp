/// The top function that Vitis HLS synthesizes: odd, w1a6, table engine 3x1x128.
#include "vaqf_accelerator.hpp"

#include "vaqf/accelerator.hpp"

extern "C" void vaqf_accelerator(const vaqf::port_word_t* commands,
                                 const vaqf::weight_word_t* weights,
                                 const vaqf::port_word_t* images, vaqf::port_word_t* results,
                                 unsigned n_frames, unsigned n_commands) {
#pragma HLS INTERFACE m_axi port = commands offset = slave bundle = commands depth = 28 max_read_burst_length = 64
#pragma HLS INTERFACE m_axi port = weights offset = slave bundle = weights depth = 854 max_read_burst_length = 64 num_read_outstanding = 16 latency = 64
#pragma HLS INTERFACE m_axi port = images offset = slave bundle = images depth = 22 max_read_burst_length = 64
#pragma HLS INTERFACE m_axi port = results offset = slave bundle = results depth = 8 max_write_burst_length = 16
#pragma HLS INTERFACE s_axilite port = commands bundle = control
#pragma HLS INTERFACE s_axilite port = weights bundle = control
#pragma HLS INTERFACE s_axilite port = images bundle = control
#pragma HLS INTERFACE s_axilite port = results bundle = control
#pragma HLS INTERFACE s_axilite port = n_frames bundle = control
#pragma HLS INTERFACE s_axilite port = n_commands bundle = control
#pragma HLS INTERFACE s_axilite port = return bundle = control
  vaqf::run(commands, weights, images, results, n_frames, n_commands);
}
