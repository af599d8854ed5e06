"""Widths, limits and rounding: the one source for quant, golden, C++ and RTL.

docs/arithmetic.md states every operation as a formula; the names here are the names there.
"""

MIN_ACT_BITS = 2
MAX_ACT_BITS = 8
DEFAULT_ACT_BITS = 8
PIXEL_BITS = 8
FIXED_WEIGHT_BITS = 8  # patch embedding and head: two's complement bit planes
RESIDUAL_BITS = 16
LOGIT_BITS = 24
GELU_INDEX_BITS = 8
MULT_BITS = 18  # signed, one port of a DSP48
OPERAND_BITS = 27  # signed, the other port
BIAS_BITS = 48  # signed, the DSP48 accumulator
# the largest bias magnitude for which no 27 x 18 bit product plus bias leaves those 48 bits
BIAS_LIMIT = 2 ** (BIAS_BITS - 1) - 2 ** (OPERAND_BITS + MULT_BITS - 2) - 1
RECORD_BITS = MULT_BITS + BIAS_BITS  # of one channel's requantization
MAX_SHIFT = 47
MAX_DIM = 1024
ROW_SUM_BITS = (MAX_DIM * 2 ** (RESIDUAL_BITS - 1)).bit_length() + 1
ROW_SQUARE_BITS = (MAX_DIM * 2 ** (2 * RESIDUAL_BITS - 2)).bit_length()  # sum of squares
VARIANCE_BITS = (MAX_DIM**2 * 2 ** (2 * RESIDUAL_BITS - 2)).bit_length() + 1  # times MAX_DIM
MAX_TOKENS = 4096
MAX_HEAD_TOKENS = 2  # class token, distillation token
MAX_PREFIX_TOKENS = 15  # tokens without pixels: a command counts them in 4 bits

EXP2_FRACTION_BITS = 8
EXP2_VALUE_BITS = 16
SCORE_MULT_BITS = 18  # unsigned
NORM_FRACTION_BITS = 14  # of (x - mean) / sigma and of the weighted mean of v
NORM_INDEX_BITS = 7  # entries per octave of the interpolated tables
NORM_OFFSET_BITS = 10  # position between two entries
NORM_VALUE_BITS = 17  # reciprocal and reciprocal square root mantissas, unsigned


def check_act_bits(act_bits: int) -> None:
    """Raise ValueError unless activations of this width are supported."""
    if not MIN_ACT_BITS <= act_bits <= MAX_ACT_BITS:
        raise ValueError(f"act_bits is {act_bits}; it must be {MIN_ACT_BITS} to {MAX_ACT_BITS}")


def signed_limit(act_bits: int) -> int:
    """Largest magnitude of q, k and v: symmetric, narrow range."""
    return int(2 ** (act_bits - 1) - 1)


def unsigned_limit(bits: int) -> int:
    """Largest value of an unsigned number of this many bits."""
    return int(2**bits - 1)


def exp_bits(act_bits: int) -> int:
    """Bits of a softmax numerator, unsigned."""
    return min(act_bits, 7)


def exp_sum_bits(act_bits: int, tokens: int) -> int:
    """Bits of the sum of a row's softmax numerators."""
    return int(tokens * unsigned_limit(exp_bits(act_bits))).bit_length()


def context_bits(act_bits: int, tokens: int) -> int:
    """Bits of a sum of softmax numerators times values of that many tokens."""
    return signed_bits(tokens * unsigned_limit(exp_bits(act_bits)) * signed_limit(act_bits))


def pixel_digits(act_bits: int) -> int:
    """Unsigned digits of act_bits that carry one pixel."""
    return -(-PIXEL_BITS // act_bits)


def signed_bits(magnitude: int) -> int:
    """Bits of a signed number that holds every value in [-magnitude, magnitude]."""
    return int(magnitude).bit_length() + 1


def binary_acc_bits(act_bits: int, k: int) -> int:
    """Accumulator bits of k products of {-1,+1} and unsigned act_bits, 2S - sum(a)."""
    return signed_bits(k * unsigned_limit(act_bits))


def fixed_acc_bits(input_bits: int, k: int) -> int:
    """Accumulator bits of k products of unsigned input_bits and signed 8-bit weights."""
    return signed_bits(k * unsigned_limit(input_bits) * 2 ** (FIXED_WEIGHT_BITS - 1))


def score_bits(act_bits: int, head_dim: int) -> int:
    """Bits of q . k over a head of this many channels."""
    return signed_bits(head_dim * signed_limit(act_bits) ** 2)


def pre_shift(acc_bits: int) -> int:
    """Bits dropped (floor) so that an accumulator fits the multiplier's 27-bit port."""
    return max(0, acc_bits - OPERAND_BITS)


def ceil_div(a: int, b: int) -> int:
    """a / b, rounded up."""
    return -(-a // b)


def round_up(a: int, b: int) -> int:
    """Smallest multiple of b that is at least a."""
    return ceil_div(a, b) * b
