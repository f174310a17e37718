from itertools import pairwise

import numpy as np
from scipy.spatial.distance import cdist

from sevenfold.monitor.samples import Features, compare, energy, length_psi, word_divergence

RNG = np.random.default_rng(3)


def split(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    order = RNG.permutation(n + m)
    return order[:n], order[n:]


def test_energy_equals_the_double_loop():
    points = RNG.normal(size=(30, 5))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    new, known = split(12, 18)
    across = np.mean([np.linalg.norm(points[i] - points[j]) for i in new for j in known])

    def within(group):
        return np.mean([np.linalg.norm(points[i] - points[j]) for i in group for j in group if i != j])

    plain = (2 * across - within(new) - within(known)) / (2 * across)
    assert np.isclose(energy(points.astype(np.float32))(new, known), plain, atol=1e-5)


def test_word_divergence_equals_its_formula_and_knows_its_ends():
    counts = RNG.poisson(2.0, size=(20, 50)).astype(np.float32)
    new, known = split(8, 12)
    p, q = counts[new].sum(0) / counts[new].sum(), counts[known].sum(0) / counts[known].sum()
    middle = (p + q) / 2

    def divergence(a, b):
        return sum(x * np.log2(x / y) for x, y in zip(a, b, strict=True) if x > 0)

    plain = (divergence(p, middle) + divergence(q, middle)) / 2
    assert np.isclose(word_divergence(counts)(new, known), plain, atol=1e-5)
    apart = np.kron(np.eye(2), np.ones((3, 4)))
    assert np.isclose(word_divergence(apart)(np.arange(3), np.arange(3, 6)), 1, atol=1e-5)


def test_psi_equals_plain_counting():
    lengths = RNG.integers(1, 300, size=90).astype(float)
    new, known = split(30, 60)
    edges = [-np.inf, *np.quantile(lengths[known], np.linspace(0.1, 0.9, 9)), np.inf]

    def shares(group):
        counts = [np.sum((lengths[group] > low) & (lengths[group] <= high)) + 0.5 for low, high in pairwise(edges)]
        return np.array(counts) / sum(counts)

    a, b = shares(new), shares(known)
    assert np.isclose(length_psi(lengths)(new, known), np.sum((a - b) * np.log(a / b)))


def test_a_batch_of_relabellings_equals_one_by_one():
    features = Features.of([f"text {n} " + "word " * int(RNG.integers(1, 9)) for n in range(24)])
    splits = [split(10, 14) for _ in range(5)]
    new, known = (np.stack(group) for group in zip(*splits, strict=True))
    for statistic in (length_psi(features.lengths), word_divergence(features.words), energy(features.trigrams)):
        alone = [float(statistic(a, b)) for a, b in splits]
        assert np.allclose(statistic(new, known), alone, atol=1e-6)


def test_directions_are_unit_vectors_and_distances_agree_with_scipy():
    features = Features.of(["سلام دنیا", "سلام بر شما", "hello"])
    assert np.allclose(np.linalg.norm(features.trigrams, axis=1), 1, atol=1e-5)
    gaps = cdist(features.trigrams, features.trigrams)
    assert gaps[0, 1] < gaps[0, 2]


def test_texts_without_any_word_are_alike():
    found = compare(Features.of(["..."] * 5), Features.of(["..."] * 6), 99, 0)
    assert all(distance.p_value == 1 for distance in found.values())
