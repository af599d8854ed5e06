"""Designs in the corners of what is legal: chosen to be odd, not to be fast."""

import random

from hls_bench import design_for
from random_designs import random_vit
from samples import GRAY, ODD, RGB

from vaqf.hardware.design import ENGINES, WEIGHT_PORTS, Design, legal_norm_tokens, run_words
from vaqf.hardware.family import FAMILIES, Family

COUNT = 40
PE = (1, 3, 6, 12, 16)
LEAST_SIMD = {1: 128, 3: 384, 6: 192, 12: 96, 16: 16}  # pe * simd is whole 128s, simd whole pe
# T: one, fewer than P or few, a prime, more than P
TOKENS = {
    1: (1, 2, 7, 33),
    3: (1, 2, 7, 12),
    6: (1, 4, 5, 12),
    12: (1, 2, 11, 14),
    16: (1, 4, 13, 18),
}
SHAPES = [(p, t) for p in PE for t in range(4)]  # twenty of them
MODELS = (RGB, GRAY, ODD)


def corner(number: int) -> tuple[Design, Family]:
    """One of COUNT: every P with every kind of T on either engine, the rest drawn."""
    rng = random.Random(number)
    pe, kind = SHAPES[number % len(SHAPES)]
    tokens, engine = TOKENS[pe][kind], ENGINES[(number // len(SHAPES) + number) % len(ENGINES)]
    simd = LEAST_SIMD[pe] * rng.choice((1, 2))
    run = run_words(tokens, pe, simd)
    norms = [n for n in range(1, tokens + 1) if tokens % n == 0 and legal_norm_tokens(n, run)]
    shares = [f for f in range(1, run + 1) if run % f == 0] if engine == "table" else [1]
    ports = [n for n in WEIGHT_PORTS if pe * simd % (n * 128) == 0]
    design = design_for(
        [MODELS[number % len(MODELS)], random_vit(number)],
        engine=engine,
        act_bits=rng.randint(2, 8),
        tokens=tokens,
        pe=pe,
        simd=simd,
        attention_rows=rng.choice((1, 2, 5, 16)),
        attention_lanes=pe * rng.choice((1, 2)),
        norm_tokens=rng.choice(norms),
        frames_in_flight=1 + number // 4 % 2,
        share=rng.choice(shares),
        weight_ports=ports[number // 3 % len(ports)],
        resident=number % 3 == 0,
        dsp_sums=rng.choice((0, 1, tokens * pe)) if engine == "table" else 0,
    )
    return design, FAMILIES[(number // 2 + number // len(SHAPES)) % len(FAMILIES)]
