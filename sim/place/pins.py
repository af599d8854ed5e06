"""Three pins around a module of any ports: with them a tool places it whole, paths and all.

Out of context a tool leaves out clock buffers and pins. Here inputs come from a shift register and
outputs are folded into another, so no port is a constant, none is unread, and every path that
crosses a port begins or ends at a register.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

TOP, INSTANCE = "pins", "u_dut"


@dataclass(frozen=True)
class Port:
    """A port of a module."""

    name: str
    bits: int
    is_input: bool


def listed(text: str) -> list[Port]:
    """The ports that Yosys's `portlist` names."""
    found = re.findall(r"^(input|output) \[(\d+):0\] (\w+)$", text, re.MULTILINE)
    return [Port(name, int(high) + 1, kind == "input") for kind, high, name in found]


def around(module: str, clock: str, ports: Iterable[Port]) -> str:
    """Verilog of the module `pins` with `module` inside."""
    driven = [port for port in ports if port.is_input and port.name != clock]
    read = [port for port in ports if not port.is_input]
    inputs, outputs = (sum(port.bits for port in side) for side in (driven, read))
    connected = [f".{clock}(clk)", *_slices(driven, "given"), *_slices(read, "found")]
    return f"""module {TOP} (input clk, input in, output out);
  reg [{inputs - 1}:0] given;
  reg [{outputs - 1}:0] folded;
  wire [{outputs - 1}:0] found;
  assign out = folded[{outputs - 1}];
  always @(posedge clk) begin
    given <= {{given, in}};
    folded <= {{folded, 1'b0}} ^ found;
  end
  {module} {INSTANCE} (
      {", ".join(connected)}
  );
endmodule
"""


def _slices(ports: Iterable[Port], vector: str) -> Iterable[str]:
    """Connections of ports side by side in a vector."""
    at = 0
    for port in ports:
        yield f".{port.name}({vector}[{at}+:{port.bits}])"
        at += port.bits
