/// Pragmas that need the name of an array or a function, in one place.
#pragma once

#define VAQF_PRAGMA_TEXT(text) _Pragma(#text)
#define VAQF_PRAGMA(text) VAQF_PRAGMA_TEXT(text)

#define VAQF_BIND_BRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_2p impl = bram)
/// One port that writes and one that reads.
#define VAQF_BIND_LUTRAM(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_s2p impl = lutram)
/// One writer and many readers: the tool replicates the RAM once per reader.
#define VAQF_BIND_TABLES(array) \
  VAQF_PRAGMA(HLS BIND_STORAGE variable = array type = ram_1wnr impl = lutram)
#define VAQF_AGGREGATE(variable_name) VAQF_PRAGMA(HLS AGGREGATE variable = variable_name)
#define VAQF_ONE_INSTANCE(name) VAQF_PRAGMA(HLS ALLOCATION function instances = name limit = 1)
