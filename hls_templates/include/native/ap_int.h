/// The subset of ap_int / ap_uint that this library uses, on native integers, for C simulation.
///
/// Synthesis tools bring their own ap_int.h; this folder is on the include path of C-sim only.
/// Differences that the library respects: an expression is computed in int or long long, so no
/// intermediate may need more than 64 bits; types wider than 64 bits only store bit ranges.
#pragma once

#include <cstdint>
#include <type_traits>

template <int W>
class ap_int;
template <int W>
class ap_uint;

namespace vaqf_native {

template <int W, bool Signed>
struct Storage {
  typedef typename std::conditional<
      W <= 8, int8_t,
      typename std::conditional<
          W <= 16, int16_t, typename std::conditional<W <= 32, int32_t, int64_t>::type>::type>::type
      signed_t;
  typedef typename std::make_unsigned<signed_t>::type unsigned_t;
  typedef typename std::conditional<Signed, signed_t, unsigned_t>::type type;
  /// What an expression sees: int where a product of two such values fits in 32 bits.
  typedef
      typename std::conditional<W <= (Signed ? 16 : 15), int,
                                typename std::conditional<W == 64 && !Signed, unsigned long long,
                                                          long long>::type>::type native;
};

/// The low W bits of x, sign-extended if Signed, in the narrowest arithmetic that does it.
template <int W, bool Signed, bool Narrow = (W <= 32)>
struct Wrap;

template <int W>
struct Wrap<W, false, true> {
  template <class X>
  static typename Storage<W, false>::type apply(X x) {
    return static_cast<typename Storage<W, false>::type>(
        static_cast<uint32_t>(static_cast<unsigned long long>(x)) & (~0U >> (32 - W)));
  }
};

template <int W>
struct Wrap<W, true, true> {
  template <class X>
  static typename Storage<W, true>::type apply(X x) {
    return static_cast<typename Storage<W, true>::type>(
        static_cast<int32_t>(static_cast<uint32_t>(static_cast<unsigned long long>(x))
                             << (32 - W)) >>
        (32 - W));
  }
};

template <int W>
struct Wrap<W, false, false> {
  template <class X>
  static typename Storage<W, false>::type apply(X x) {
    return static_cast<unsigned long long>(x) & (~0ULL >> (64 - W));
  }
};

template <int W>
struct Wrap<W, true, false> {
  template <class X>
  static typename Storage<W, true>::type apply(X x) {
    return static_cast<long long>(static_cast<unsigned long long>(x) << (64 - W)) >> (64 - W);
  }
};

/// W bits, two's complement if Signed; every assignment wraps like the hardware's.
template <int W, bool Signed, class Derived>
class Int {
 public:
  typedef Storage<W, Signed> S;
  typename S::type value;

  operator typename S::native() const { return value; }
  bool operator[](int bit) const { return (static_cast<unsigned long long>(value) >> bit) & 1; }

  template <class X>
  Derived& operator+=(X x) {
    return set(native() + x);
  }
  template <class X>
  Derived& operator-=(X x) {
    return set(native() - x);
  }
  template <class X>
  Derived& operator*=(X x) {
    return set(native() * x);
  }
  template <class X>
  Derived& operator|=(X x) {
    return set(native() | x);
  }
  template <class X>
  Derived& operator&=(X x) {
    return set(native() & x);
  }
  template <class X>
  Derived& operator^=(X x) {
    return set(native() ^ x);
  }
  Derived& operator<<=(int bits) { return set(static_cast<unsigned long long>(value) << bits); }
  Derived& operator>>=(int bits) { return set(native() >> bits); }
  Derived& operator++() { return set(native() + 1); }
  Derived& operator--() { return set(native() - 1); }

  /// Bits high..low as an unsigned number.
  ap_uint<W> range(int high, int low) const {
    const unsigned long long mask = ~0ULL >> (63 - (high - low));
    return ap_uint<W>((static_cast<unsigned long long>(value) >> low) & mask);
  }

 protected:
  typename S::native native() const { return value; }
  template <class X>
  Derived& set(X x) {
    value = Wrap<W, Signed>::apply(x);
    return static_cast<Derived&>(*this);
  }
};

/// More than 64 bits: stored as 64-bit chunks, touched by ranges of at most 64 bits.
template <int W>
class Wide {
 public:
  static_assert(W % 64 == 0, "wide words are whole 64-bit chunks");
  uint64_t chunk[W / 64];

  class Range {
   public:
    Range(uint64_t* chunk, int high, int low) : chunk_(chunk), bits_(high - low + 1), low_(low) {}
    operator unsigned long long() const {
      unsigned long long x = chunk_[low_ / 64] >> (low_ % 64);
      if (low_ % 64 + bits_ > 64) x |= chunk_[low_ / 64 + 1] << (64 - low_ % 64);
      return x & (~0ULL >> (64 - bits_));
    }
    template <class X>
    Range& operator=(X x) {
      const unsigned long long mask = ~0ULL >> (64 - bits_);
      const unsigned long long bits = static_cast<unsigned long long>(x) & mask;
      uint64_t& first = chunk_[low_ / 64];
      first = (first & ~(mask << (low_ % 64))) | (bits << (low_ % 64));
      if (low_ % 64 + bits_ > 64) {
        const int taken = 64 - low_ % 64;
        uint64_t& second = chunk_[low_ / 64 + 1];
        second = (second & ~(mask >> taken)) | (bits >> taken);
      }
      return *this;
    }

   private:
    uint64_t* chunk_;
    int bits_;
    int low_;
  };

  Range range(int high, int low) { return Range(chunk, high, low); }
  unsigned long long range(int high, int low) const {
    return Range(const_cast<uint64_t*>(chunk), high, low);
  }
};

}  // namespace vaqf_native

#define VAQF_NATIVE_INT(NAME, SIGNED)                                             \
  template <int W>                                                                \
  class NAME : public vaqf_native::Int<W, SIGNED, NAME<W>> {                      \
   public:                                                                        \
    static_assert(W >= 1 && W <= 64, "native integers have 1 to 64 bits");        \
    NAME() = default;                                                             \
    template <class X>                                                            \
    NAME(X x) {                                                                   \
      this->set(x);                                                               \
    }                                                                             \
    template <int V>                                                              \
    NAME(const ap_int<V>& x) {                                                    \
      this->set(static_cast<typename vaqf_native::Storage<V, true>::native>(x));  \
    }                                                                             \
    template <int V>                                                              \
    NAME(const ap_uint<V>& x) {                                                   \
      this->set(static_cast<typename vaqf_native::Storage<V, false>::native>(x)); \
    }                                                                             \
  };

VAQF_NATIVE_INT(ap_int, true)
VAQF_NATIVE_INT(ap_uint, false)
#undef VAQF_NATIVE_INT

#define VAQF_NATIVE_WIDE(W)                                \
  template <>                                              \
  class ap_uint<W> : public vaqf_native::Wide<W> {         \
   public:                                                 \
    ap_uint() = default;                                   \
    ap_uint(unsigned long long x) {                        \
      for (int i = 0; i < W / 64; ++i) this->chunk[i] = 0; \
      this->chunk[0] = x;                                  \
    }                                                      \
  };

VAQF_NATIVE_WIDE(128)
VAQF_NATIVE_WIDE(256)
VAQF_NATIVE_WIDE(512)
#undef VAQF_NATIVE_WIDE
