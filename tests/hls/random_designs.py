"""A dozen designs of all kinds, and random networks for each."""

from functools import cache

from hls_bench import design_for, random_vit

# each takes the networks whose seed is its position modulo the number of designs
DESIGNS = {
    # more lanes than a small head has, ring of several commands, shared table generators
    "table shared": {
        "tokens": 4,
        "pe": 1,
        "simd": 128,
        "attention_lanes": 5,
        "share": 2,
        "norm_tokens": 1,
    },
    # odd rows and outputs, one slice per row, one frame; two sums on DSPs, the others wait for them
    "table odd": {
        "act_bits": 5,
        "dsp_sums": 2,
        "tokens": 3,
        "pe": 3,
        "simd": 384,
        "attention_rows": 2,
        "attention_lanes": 3,
        "norm_tokens": 3,
        "frames_in_flight": 1,
        "weight_ports": 1,
    },
    # all ports, weights on chip, banks more than rows
    "table resident": {
        "act_bits": 7,
        "tokens": 2,
        "pe": 2,
        "simd": 256,
        "attention_lanes": 12,
        "attention_rows": 5,
        "norm_tokens": 2,
        "weight_ports": 4,
        "resident": True,
    },
    "adder": {
        "engine": "adder",
        "act_bits": 3,
        "tokens": 5,
        "pe": 8,
        "simd": 32,
        "attention_rows": 1,
        "attention_lanes": 8,
        "norm_tokens": 5,
        "weight_ports": 2,
    },
    # one row, one query, resident, one frame at a time, K less than most dims
    "adder tiny": {
        "engine": "adder",
        "act_bits": 2,
        "tokens": 1,
        "pe": 8,
        "simd": 16,
        "attention_rows": 4,
        "attention_lanes": 16,
        "norm_tokens": 1,
        "frames_in_flight": 1,
        "resident": True,
    },
    "table": {"act_bits": 8, "pe": 4, "simd": 32},
}
MORE_DESIGNS = {
    "table 4": {
        "act_bits": 4,
        "dsp_sums": 24,
        "tokens": 6,
        "pe": 4,
        "simd": 96,
        "attention_lanes": 4,
        "norm_tokens": 3,
    },
    "table 6": {
        "act_bits": 6,
        "tokens": 7,
        "pe": 4,
        "simd": 64,
        "norm_tokens": 1,
        "weight_ports": 2,
    },
    "table 2": {
        "act_bits": 2,
        "tokens": 2,
        "pe": 16,
        "simd": 16,
        "attention_lanes": 16,
        "norm_tokens": 1,
    },
    "adder 6": {
        "engine": "adder",
        "act_bits": 6,
        "tokens": 3,
        "pe": 6,
        "simd": 192,
        "attention_lanes": 6,
    }
    | {"norm_tokens": 1, "weight_ports": 1, "frames_in_flight": 1},
    "adder 8": {
        "engine": "adder",
        "act_bits": 8,
        "tokens": 2,
        "pe": 4,
        "simd": 128,
        "weight_ports": 4,
    }
    | {"resident": True, "attention_rows": 7},
    "table 3": {
        "act_bits": 3,
        "tokens": 9,
        "pe": 2,
        "simd": 64,
        "norm_tokens": 3,
        "attention_lanes": 2,
    }
    | {"frames_in_flight": 1, "resident": True},
}


@cache
def fitted(name, count):
    """The design and its networks' shapes."""
    changes = (DESIGNS | MORE_DESIGNS)[name]
    first = 1000 * list(DESIGNS | MORE_DESIGNS).index(name)
    vits, seed = [], first
    while len(vits) < count:
        vit = random_vit(seed)
        # sharing wants at least 16 output words per row that takes its turn
        if changes.get("share", 1) == 1 or min(vit.dim, vit.hidden) >= 32:
            vits.append(vit)
        seed += 1
    return design_for(vits, **changes), vits
