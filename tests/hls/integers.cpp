/// What the library does with ap_int and ap_uint, on pairs of 64-bit numbers: compiled against our
/// own header and the vendor's, both must print the same.
#include <ap_int.h>

#include <cstdint>
#include <cstdio>

namespace {

void put(long long value) { std::fwrite(&value, 8, 1, stdout); }

/// Everything the library does with two numbers of W and V bits, products of at most 63 bits.
template <int W, int V>
void narrow(int64_t x, int64_t y) {
  const ap_int<W> a = x;
  const ap_int<V> b = y;
  const ap_uint<W> c = x;
  const ap_uint<V> d = y;
  put(a);
  put(c);
  put(ap_int<V>(a));
  put(ap_uint<V>(a));
  put(ap_int<V>(c));
  put(ap_uint<V>(c));
  const ap_int<W + V> product = a * b;
  const ap_int<W + V + 1> mixed = a * d;
  const ap_uint<W + V> positive = c * d;
  put(product);
  put(mixed);
  put(positive);
  put(ap_int<W>(a + b));
  put(ap_int<W>(a - b));
  put(ap_uint<W>(c + d));
  put(ap_uint<W>(c - d));
  put(ap_int<W>(c - d));
  put(ap_int<W>(-a));
  put(ap_int<W>(2 * a - d));
  const ap_uint<6> shift = (y & 63) % W;
  put(ap_int<W>(a >> shift));
  put(ap_uint<W>(c >> shift));
  const ap_uint<W> rest = c >> shift;
  put(ap_uint<W>(rest << int(shift)));
  ap_uint<W> shifted = c;
  shifted <<= shift;
  put(shifted);
  ap_int<W> sum = a;
  sum += b;
  put(sum);
  sum -= d;
  put(sum);
  ap_uint<W> count = c;
  ++count;
  put(count);
  --count;
  put(count);
  put(a > b);
  put(a >= b);
  put(a == b);
  put(c < d);
  put(c <= d);
  put(c != d);
  put(a > 3);
  put(c >= 3);
  put(a == -3);
  put(c[int(shift)]);
  put((c >> shift) & 1);
  put(static_cast<unsigned long long>(c.range(W - 1, W / 2)));
  put(static_cast<unsigned long long>(c.range(W / 2, W / 3)));
  const ap_int<W> chosen = a > b ? a : ap_int<W>(0);
  put(chosen);
}

/// Ranges of memory words, one write and one read each, and a copy.
template <int W>
void wide(int64_t x, int64_t y) {
  ap_uint<W> word = 0;
  for (int i = 0; i < W / 64; ++i)
    word.range(64 * i + 63, 64 * i) = static_cast<unsigned long long>(x) * (2 * i + 1);
  const int bits = 1 + int(uint64_t(y) % 64);
  const int low = int((uint64_t(y) >> 8) % uint64_t(W - bits + 1));
  put(static_cast<unsigned long long>(word.range(low + bits - 1, low)));
  word.range(low + bits - 1, low) = static_cast<unsigned long long>(y);
  const ap_uint<W> copy = word;
  for (int i = 0; i < W / 32; ++i)
    put(static_cast<unsigned long long>(copy.range(32 * i + 31, 32 * i)));
  const ap_int<18> narrow = static_cast<unsigned long long>(copy.range(17, 0));
  put(narrow);
}

}  // namespace

int main() {
  int64_t pair[2];
  while (std::fread(pair, 8, 2, stdin) == 2) {
    const int64_t x = pair[0], y = pair[1];
    narrow<1, 2>(x, y);
    narrow<2, 7>(x, y);
    narrow<5, 4>(x, y);
    narrow<8, 8>(x, y);
    narrow<9, 16>(x, y);
    narrow<15, 15>(x, y);
    narrow<16, 16>(x, y);
    narrow<17, 10>(x, y);
    narrow<18, 27>(x, y);
    narrow<24, 24>(x, y);
    narrow<31, 31>(x, y);
    narrow<32, 16>(x, y);
    narrow<33, 27>(x, y);
    narrow<45, 17>(x, y);
    wide<128>(x, y);
    wide<256>(x, y);
    wide<512>(x, y);
  }
  return 0;
}
