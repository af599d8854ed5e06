/// Pragmas whose spelling differs between versions of Vitis HLS, or that need a name, in one place.
#pragma once

#define VAQF_PRAGMA_TEXT(text) _Pragma(#text)
#define VAQF_PRAGMA(text) VAQF_PRAGMA_TEXT(text)

#define VAQF_BIND_BRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_2p impl = bram)
/// One writer and many readers: the tool replicates the RAM once per reader.
#define VAQF_BIND_TABLES(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_1wnr impl = lutram)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS AGGREGATE variable = variable_name)
#define VAQF_ONE_INSTANCE(name) VAQF_PRAGMA(HLS ALLOCATION function instances = name limit = 1)

/// A memory that one process of a dataflow region reads and another writes, a port each, with no
/// other synchronization than the region's streams: tests/hls/test_dataflow.py proves the order.
#if defined(VAQF_VITIS_HLS_2020)
#define VAQF_UNSYNC(array)                 \
  VAQF_PRAGMA(HLS SHARED variable = array) \
  VAQF_PRAGMA(HLS STABLE variable = array)
#else
#define VAQF_UNSYNC(array) VAQF_PRAGMA(HLS STREAM variable = array type = unsync)
#endif
