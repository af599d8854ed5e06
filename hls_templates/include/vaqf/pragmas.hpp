/// Pragmas whose spelling changed between vivado_hls and Vitis HLS, in one place.
#pragma once

#define VAQF_PRAGMA_TEXT(text) _Pragma(#text)
#define VAQF_PRAGMA(text) VAQF_PRAGMA_TEXT(text)

#if defined(VAQF_VIVADO_HLS)
#define VAQF_BIND_BRAM(array) VAQF_PRAGMA(HLS RESOURCE variable = array core = RAM_2P_BRAM)
#define VAQF_BIND_TABLES(array) VAQF_PRAGMA(HLS RESOURCE variable = array core = RAM_2P_LUTRAM)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS DATA_PACK variable = variable_name)
#define VAQF_ONE_INSTANCE(name) VAQF_PRAGMA(HLS ALLOCATION instances = name limit = 1 function)
#else
#define VAQF_BIND_BRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_2p impl = bram)
/// One writer and many readers: the tool replicates the RAM once per reader.
#define VAQF_BIND_TABLES(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_1wnr impl = lutram)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS AGGREGATE variable = variable_name)
#define VAQF_ONE_INSTANCE(name) VAQF_PRAGMA(HLS ALLOCATION function instances = name limit = 1)
#endif

/// A memory that one process of a dataflow region reads and another writes, a port each, with no
/// other synchronization than the region's streams: tests/hls/test_dataflow.py proves the order.
#if defined(VAQF_VIVADO_HLS) || defined(VAQF_VITIS_HLS_2020)
#define VAQF_UNSYNC(array)                 \
  VAQF_PRAGMA(HLS SHARED variable = array) \
  VAQF_PRAGMA(HLS STABLE variable = array)
#else
#define VAQF_UNSYNC(array) VAQF_PRAGMA(HLS STREAM variable = array type = unsync)
#endif
