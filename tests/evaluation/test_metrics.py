"""Metrics against scikit-learn, scipy and examples by hand."""

import numpy as np
import pytest
from scipy.special import log_softmax, rel_entr
from sklearn.metrics import (
    confusion_matrix,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)

from vaqf.evaluation import metrics
from vaqf.sim import golden

CLASSES = 7


@pytest.fixture(scope="module")
def judged() -> tuple[np.ndarray, np.ndarray]:
    """Logits [300, 7] with many ties, and labels; class 6 has no image."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, CLASSES - 1, 300)
    logits = rng.integers(-3, 4, (300, CLASSES)).astype(np.int32)
    logits[np.arange(300), labels] += 2
    return logits, labels


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_scikit_learns(k: int) -> None:
    rng = np.random.default_rng(k)
    logits = rng.permuted(np.tile(np.arange(CLASSES), (200, 1)), axis=1)  # no ties
    labels = rng.integers(0, CLASSES, 200)
    expected = top_k_accuracy_score(labels, logits, k=k, labels=range(CLASSES))
    assert (metrics.ranks(logits, labels) < k).mean() == expected


def test_ranks_are_places_in_a_stable_sort(judged: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = judged
    order = np.argsort(-logits, axis=1, kind="stable")
    assert np.array_equal(metrics.ranks(logits, labels), (order == labels[:, None]).argmax(axis=1))


def test_rank_zero_is_goldens_class(judged: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = judged
    right = golden.labels(logits) == labels
    assert np.array_equal(metrics.ranks(logits, labels) == 0, right)
    assert 0 < right.sum() < len(right)


def test_a_tie_goes_to_the_lowest_class() -> None:
    logits = np.array([[5, 5, 1]])
    assert metrics.ranks(logits, np.array([0])).tolist() == [0]
    assert metrics.ranks(logits, np.array([1])).tolist() == [1]


def test_confusion_is_scikit_learns(judged: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = judged
    predicted = golden.labels(logits)
    expected = confusion_matrix(labels, predicted, labels=range(CLASSES))
    found = metrics.confusion(labels, predicted, CLASSES)
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, found.T)  # rows and columns could not be swapped unseen


def test_recall_and_precision_are_scikit_learns(judged: tuple[np.ndarray, np.ndarray]) -> None:
    logits, labels = judged
    predicted = golden.labels(logits)
    options = {"labels": range(CLASSES), "average": None, "zero_division": 0.0}
    scores = metrics.per_class(labels, predicted, CLASSES)
    assert [s.recall or 0.0 for s in scores] == recall_score(labels, predicted, **options).tolist()
    precisions = precision_score(labels, predicted, **options).tolist()
    assert [s.precision or 0.0 for s in scores] == precisions
    assert [s.images for s in scores] == np.bincount(labels, minlength=CLASSES).tolist()


def test_a_class_without_images_or_answers_has_no_score() -> None:
    scores = metrics.per_class(np.array([0, 0]), np.array([0, 1]), 3)
    assert [(s.recall, s.precision) for s in scores] == [(0.5, 1.0), (None, 0.0), (None, None)]
    assert scores[1].to_json() == {
        "class": 1,
        "images": 0,
        "predicted": 1,
        "correct": 0,
        "recall": None,
        "precision": 0.0,
    }


def test_log_softmax_is_scipys_and_survives_large_logits() -> None:
    logits = np.random.default_rng(0).normal(0, 50, (40, 9)).astype(np.float32)
    expected = log_softmax(logits.astype(np.float64), axis=1)
    np.testing.assert_allclose(metrics.log_softmax(logits), expected, rtol=1e-12, atol=1e-12)
    assert np.isfinite(metrics.log_softmax(np.array([[1e6, -1e6]]))).all()


def test_confidence_is_the_predicted_classs_probability() -> None:
    logs = np.log(np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]]))
    np.testing.assert_allclose(metrics.confidence(logs), [0.7, 0.5], rtol=1e-15)


def test_divergence_is_scipys_and_has_a_direction() -> None:
    p, q = np.random.default_rng(0).dirichlet(np.ones(6), (2, 30))
    found = metrics.divergence(np.log(p), np.log(q))
    np.testing.assert_allclose(found, rel_entr(p, q).sum(axis=1), rtol=1e-12)
    assert not np.allclose(found, metrics.divergence(np.log(q), np.log(p)))
    assert metrics.divergence(np.log(p), np.log(p)).tolist() == [0.0] * 30


def test_the_calibration_error_of_a_hand_made_example() -> None:
    # bin 8 of 15 is (7/15, 8/15], the last (14/15, 1]
    confident = np.array([0.5, 0.5, 0.5, 0.5, 0.95, 1.0])
    correct = np.array([True, False, False, False, True, True])
    by_hand = (4 * abs(0.25 - 0.5) + 2 * abs(1.0 - 0.975)) / 6
    assert metrics.calibration_error(confident, correct) == pytest.approx(by_hand, abs=1e-15)


def test_over_and_underconfidence_in_different_bins_do_not_cancel() -> None:
    confident, correct = np.array([0.3, 0.9]), np.array([True, False])
    assert metrics.calibration_error(confident, correct) == pytest.approx((0.7 + 0.9) / 2)


def test_over_and_underconfidence_in_one_bin_cancel() -> None:
    assert metrics.calibration_error(np.array([0.5, 0.5]), np.array([True, False])) == 0.0


def test_a_bin_holds_its_upper_edge() -> None:
    # 1/15 falls into the first bin, beside 0.06: one bin whose errors cancel in part
    confident, correct = np.array([1 / 15, 0.06]), np.array([True, False])
    expected = abs(1 - (1 / 15 + 0.06)) / 2
    assert metrics.calibration_error(confident, correct) == pytest.approx(expected)
