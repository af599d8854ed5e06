"""The weight port against the clock: when what is asked for comes.

One clock for all that is read through it: weights, parameters and constants wait for each other,
as axi_read.sv and what is above it read them.
"""

from vaqf.hardware.design import PORT_BITS, Design
from vaqf.hardware.rtl_numbers import number

EFFICIENCY = 0.7  # of the peak of AXI ports and of DRAM, for long bursts
READ_LATENCY = 60  # cycles from an address to its first data, of a DRAM behind an interconnect
ASK = 9  # from the wish for data to its address, and from data to where they are kept
QUEUE_BEATS = number("sizes", "READ_BEATS")  # asked for and not yet arrived


class Port:
    """Times in cycles, `rate` in bits per cycle; ahead_bits: asked for behind a full queue."""

    def __init__(self, design: Design, rate: float, ahead_bits: int) -> None:
        self.rate = rate
        self.width = design.weight_ports * PORT_BITS  # bits of a read
        self.now = 0.0  # until then the memory is busy
        self._kept = 0.0  # until then what has come is not yet where it belongs
        # cycles of what is asked for ahead
        self.queue = (QUEUE_BEATS * self.width + ahead_bits) / rate

    def read(self, asked: float, bits: int, cycles: float) -> tuple[float, float]:
        """Data that take so many cycles to be kept: when they begin to come, and are kept.

        Meanwhile more data come.
        """
        begin = asked + ASK + READ_LATENCY
        begin = max(begin, self.now)
        kept = begin if self._kept < begin else self._kept
        self.now = begin + bits / self.rate
        self._kept = kept + cycles if self.now < kept + cycles else self.now
        return begin, self._kept

    def store(self, asked: float, bits: int) -> tuple[float, float]:
        """Data that are kept as they come."""
        return self.read(asked, bits, bits / self.width)

    def accepted(self, asked: float) -> float:
        """When the address of what is asked for now is taken."""
        return max(asked, self.now - self.queue)
