"""What is proved, at which sizes, and a change of the source that each proof must notice."""

from dataclasses import replace

from prover import Mutant, Proof

MEMORY = ("memory", "memory_row")
# three words of two parts of two bits
RING = {"RING_WORDS": 3, "RING_WORD": 4, "WEIGHT_BITS": 2}
# one output, four inputs of a bit, two tokens
ENGINE = {
    "TOKENS": 2,
    "SHARE": 1,
    "PE": 1,
    "SIMD": 4,
    "ACT_BITS": 1,
    "RUN_WORDS": 2,
    "ROWS": 1,
    "RUNS": 2,
    "LOAD_BITS": 2,
    "ACT_WORD": 1,
    "RING_WORDS": 4,
    "RING_WORD": 4,
    "TILE": 2,
    "SLICE_SUM_BITS": 4,
    "SLICE_WORDS": 4,
    "ACC_BITS": 8,
    "PARTIAL_WORDS": 4,
    "DSP_SUMS": 0,
}
ENGINE_MODULES = ("binary_engine", "passes", "delay", "delay_flag", "operands", *MEMORY)
TABLES = Proof(
    "prove_tables",
    (
        *ENGINE_MODULES,
        "lookup",
        "table_generator",
        "subset_sums",
        "lutram",
        "add_tree",
        "ternary_add",
    ),
    steps=6,
    cover=80,
    eager=True,
    package=ENGINE | {"ENGINE_TABLE": 1},
    independent=(("load_ready", "load_valid"),),
    mutants=(
        Mutant("lookup", "held_then == 2'd2", "held_then == 2'd3"),
        Mutant("lookup", "half_next <= half_next ^ turn_next[SHARE-1]", "half_next <= '0"),
    ),
)

PROOFS = {
    "fifo, shallow": Proof(
        "prove_fifo",
        ("fifo",),
        steps=2,
        cover=10,
        parameters={"DEPTH": 3, "DEEP": 0},
        independent=(
            ("in_ready", "in_valid"),
            ("in_ready", "out_ready"),
            ("out_valid", "out_ready"),
        ),
        mutants=(
            Mutant("fifo", "in_ready = !full", "in_ready = !full || out_ready"),
            Mutant("fifo", "put = in_valid && in_ready", "put = in_valid"),
        ),
    ),
    "fifo, deep": Proof(
        "prove_fifo",
        ("fifo",),
        steps=2,
        cover=10,
        parameters={"DEPTH": 3, "DEEP": 1},
        independent=(
            ("in_ready", "in_valid"),
            ("in_ready", "out_ready"),
            ("out_valid", "out_ready"),
        ),
        mutants=(Mutant("fifo", "some && (!fetched || moves)", "some"),),
    ),
    "axi_bursts": Proof(
        "prove_axi_bursts",
        ("axi_bursts",),
        steps=2,
        cover=6,
        parameters={"DATA_BITS": 128, "BURST": 256},
        independent=(("request_ready", "request_valid"), ("burst_valid", "burst_ready")),
        mutants=(
            Mutant("axi_bursts", "(cutting && !(move && ends))", "(cutting && !ends)"),
            Mutant("axi_bursts", "(ends ? last : '1) - first", "(ends ? last : '1)"),
        ),
    ),
    "axi_read": Proof(
        "prove_axi_read",
        ("axi_read", "axi_bursts", "fifo"),
        steps=2,
        cover=16,
        parameters={"BURST": 2, "DEPTH": 3},
        independent=(
            ("request_ready", "request_valid"),
            ("rready", "rvalid"),
            ("arvalid", "arready"),
            ("data_valid", "data_ready"),
        ),
        mutants=(
            Mutant("axi_read", "room >= ROOM_BITS'(BURST)", "room != '0"),
            Mutant("axi_read", "ROOM_BITS'(arlen) + 1'b1", "ROOM_BITS'(arlen)"),
        ),
    ),
    "axi_write": Proof(
        "prove_axi_write",
        ("axi_write", "axi_bursts", "fifo"),
        steps=2,
        cover=15,
        parameters={"BURST": 2},
        independent=(
            ("request_ready", "request_valid"),
            ("data_ready", "data_valid"),
            ("bready", "bvalid"),
            ("awvalid", "awready"),
            ("wvalid", "wready"),
        ),
        mutants=(
            Mutant("axi_write", "buffered > COUNT_BITS'(awlen)", "buffered >= COUNT_BITS'(awlen)"),
            Mutant("axi_write", "!awvalid && !wvalid && buffered", "!awvalid && buffered"),
        ),
    ),
    "ring, streamed": Proof(
        "prove_ring",
        ("ring", *MEMORY),
        steps=4,
        cover=16,
        package=RING | {"RESIDENT": 0},
        independent=(("available", "read"),),
        mutants=(
            Mutant("ring", "'0) + COUNT_BITS'(release_word)", "'0) + COUNT_BITS'(read)"),
            Mutant("ring", "around[INDEX_BITS] ? base + offset", "!around[0] ? base + offset"),
        ),
    ),
    "ring, resident": Proof(
        "prove_ring",
        ("ring", *MEMORY),
        steps=4,
        cover=12,
        package=RING | {"RESIDENT": 1},
        mutants=(Mutant("ring", "RESIDENT ? command_offset : head", "head"),),
    ),
    "gearbox, to wider words": Proof(
        "prove_gearbox",
        ("gearbox",),
        steps=2,
        cover=8,
        parameters={"IN": 2, "OUT": 3},
        independent=(("in_ready", "in_valid"), ("out_valid", "out_ready")),
        mutants=(Mutant("gearbox", "in_ready = movable && !ending_next", "in_ready = movable"),),
    ),
    "gearbox, to narrower words": Proof(
        "prove_gearbox",
        ("gearbox",),
        steps=2,
        cover=8,
        parameters={"IN": 3, "OUT": 2},
        mutants=(
            Mutant(
                "gearbox", "(padded_then || gone_then == COUNT_BITS'(TAKEN - 1))", "padded_then"
            ),
        ),
    ),
    "commands": Proof(
        "prove_commands",
        ("commands", *MEMORY),
        steps=6,
        cover=16,
        package={"MAX_COMMANDS": 3},
        independent=(("in_ready", "in_valid"), ("request_valid", "request_ready")),
        mutants=(
            Mutant("commands", "waiting & (~waiting + 1'b1)", "waiting"),
            Mutant("commands", "waiting &= ~on_the_way[i*READERS+:READERS]", "waiting &= '1"),
        ),
    ),
    "walk": Proof(
        "prove_walk",
        ("walk",),
        steps=4,
        cover=16,
        mutants=(
            Mutant("walk", "leave = next ||", "leave = valid ||"),
            Mutant("walk", "offset < 4'(left_near)", "offset <= 4'(left_near)"),
        ),
    ),
    "tables, one turn": TABLES,
    "tables, two turns": replace(
        TABLES, package=TABLES.package | {"SHARE": 2}, cover=150, slow=True, mutants=()
    ),
    "masks": Proof(
        "prove_masks",
        (*ENGINE_MODULES, "masked_sum", "masked_column", "add_tree", "ternary_add"),
        steps=6,
        cover=40,
        eager=True,
        package=ENGINE | {"ENGINE_TABLE": 0},
        independent=(("load_ready", "load_valid"),),
        mutants=(Mutant("masked_sum", ".may(!held || free)", ".may(1'b1)"),),
    ),
}
