"""The paper's accelerator as modelled (vaqf/search/paper.py) beside what the paper published.

python benchmarks/paper.py
"""

from vaqf.hardware import board
from vaqf.model import zoo
from vaqf.search import paper, search
from vaqf.search.question import Question

CLOCK_MHZ = 150.0


def main() -> None:
    """Print precision by precision: published, modelled, and ours at the same clock."""
    model, device = zoo.load("deit_base"), board.load("zcu102")
    ours = search.search(Question(model, device, clock_mhz=CLOCK_MHZ))
    our_fps = {c.act_bits: c.estimate.fps for c in ours.candidates}
    modelled = paper.search(Question(model, device, clock_mhz=CLOCK_MHZ)).candidates
    print(f"DeiT-base on a ZCU102 at {CLOCK_MHZ:g} MHz, frames per second")
    print(f"{'':6}{'published':>10}{'modelled':>10}{'error':>8}{'ours, estimated':>17}")
    for candidate in modelled:
        bits = candidate.act_bits
        published = paper.PUBLISHED_FPS.get(bits)
        error = "" if published is None else f"{candidate.fps / published - 1:+.1%}"
        known = "" if published is None else f"{published:.1f}"
        mine = f"{our_fps[bits]:.1f}" if bits in our_fps else ""
        print(f"w1a{bits:<3}{known:>10}{candidate.fps:>10.1f}{error:>8}{mine:>17}")
    for target in (24, 30):
        answer = paper.search(Question(model, device, fps=target, clock_mhz=CLOCK_MHZ))
        print(f"asked {target} FPS: w1a{answer.estimate.act_bits}, {answer.estimate.fps:.1f} FPS")
    print(
        f"One fitted constant: {paper.FITTED_LUT_BUDGET:,} LUTs for the binary engine, from the "
        f"published {paper.PUBLISHED_FPS[8]} FPS at 8 bits."
    )


if __name__ == "__main__":
    main()
