/// Pragmas whose spelling changed between vivado_hls and Vitis HLS, in one place.
#pragma once

#define VAQF_PRAGMA_TEXT(text) _Pragma(#text)
#define VAQF_PRAGMA(text) VAQF_PRAGMA_TEXT(text)

#if defined(VAQF_VIVADO_HLS)
#define VAQF_BIND_BRAM(array) VAQF_PRAGMA(HLS RESOURCE variable = array core = RAM_2P_BRAM)
#define VAQF_BIND_LUTRAM(array) VAQF_PRAGMA(HLS RESOURCE variable = array core = RAM_2P_LUTRAM)
#define VAQF_BIND_TABLES(array) VAQF_PRAGMA(HLS RESOURCE variable = array core = RAM_2P_LUTRAM)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS DATA_PACK variable = variable_name)
#else
#define VAQF_BIND_BRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_2p impl = bram)
#define VAQF_BIND_LUTRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_2p impl = lutram)
/// One writer and many readers: the tool replicates the RAM once per reader.
#define VAQF_BIND_TABLES(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_1wnr impl = lutram)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS AGGREGATE variable = variable_name)
#endif
