"""Every proof holds, reaches its cover statements, and fails for a changed module."""

from pathlib import Path

import pytest
from hls_bench import design_for
from proofs import PROOFS
from prover import Mutant, compile_all, refutation, sources, trace, unreached
from samples import ODD

from vaqf.hardware.family import ULTRASCALE_PLUS
from vaqf.project import rtl

CHEAP = ("fifo, shallow", "ring, streamed", "gearbox, to wider words", "masks")  # to refute


@pytest.fixture(scope="session")
def package() -> str:
    """The constants of a small design; a proof replaces those that it is about."""
    return rtl.rtl_package(design_for([ODD]), "proofs", ULTRASCALE_PLUS)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if proof.slow else name
        for name, proof in PROOFS.items()
    ],
)
def test_proof_holds(name: str, package: str, tmp_path: Path) -> None:
    """Each of CHEAP is also seen to fail, for one mutant: Yosys starts once for both."""
    proof = PROOFS[name]
    mutants = proof.mutants[: name in CHEAP]
    model, *changed = compile_all(proof, package, tmp_path, [None, *mutants])
    assert not refutation(proof, model)
    assert not unreached(proof, model)
    assert all(trace(proof, mutant) for mutant in changed)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, proof in PROOFS.items() if proof.mutants])
def test_mutants_are_refuted(name: str, package: str, tmp_path: Path) -> None:
    proof = PROOFS[name]
    models = compile_all(proof, package, tmp_path, proof.mutants)
    for mutant, model in zip(proof.mutants, models, strict=True):
        assert trace(proof, model), mutant


def test_every_harness_has_a_mutant_that_applies(package: str) -> None:
    harnesses = {proof.harness for proof in PROOFS.values()}
    assert harnesses == {proof.harness for proof in PROOFS.values() if proof.mutants}
    for proof in PROOFS.values():
        for mutant in proof.mutants:
            assert mutant.module in proof.modules
            assert sources(proof, package, mutant) != sources(proof, package, None)


def test_a_mutant_that_does_not_apply_is_refused(package: str) -> None:
    with pytest.raises(ValueError, match="occurs 0 times"):
        sources(PROOFS["walk"], package, Mutant("walk", "no such text", ""))
