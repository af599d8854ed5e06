/// Reads commands and prints for each whether the kernel would take it.
#include "vaqf/check.hpp"

#include <cstdint>
#include <cstdio>

int main() {
  uint32_t bits[vaqf::kCommandWords];
  while (std::fread(bits, sizeof bits, 1, stdin) == 1) {
    ap_uint<32> word[vaqf::kCommandWords];
    for (int i = 0; i < vaqf::kCommandWords; ++i) word[i] = bits[i];
    const vaqf::Command c = vaqf::decode(word);
    const bool good = vaqf::fits(c);
    std::printf("%d %llu\n", int(good), good ? vaqf::weight_end(c) : 0ULL);
  }
  return 0;
}
