"""Which adapters are near a domain."""

from __future__ import annotations

import pytest
import torch

from sevenfold.tune.several import soup

READING = ["the model reads the data", "the data reads the model"]
WRITING = ["and writes the answer", "the answer writes and"]
DIGITS = ["1234 5678", "87 65 43 21"]


def test_texts_of_one_kind_are_nearer(tiny_model) -> None:
    network, encoder = tiny_model.network(torch.float32), tiny_model.encoder()
    parents = {"digits": DIGITS, "reading": READING[:1], "writing": WRITING}
    found = soup.similarities(network, encoder, READING[1:], parents)
    assert soup.chosen(found, 1) == ["reading"]
    assert soup.chosen(soup.similarities(network, encoder, ["12 34"], parents), 1) == ["digits"]


def test_it_is_the_cosine_of_mean_states(tiny_model) -> None:
    network, encoder = tiny_model.network(torch.float32), tiny_model.encoder()

    def mean_state(texts):
        with torch.no_grad():
            states = [network.model(input_ids=torch.tensor([encoder.encode(text)])) for text in texts]
        return torch.stack([state.last_hidden_state[0].mean(0) for state in states]).mean(0)

    expected = torch.cosine_similarity(mean_state(READING), mean_state(DIGITS), dim=0)
    found = soup.similarities(network, encoder, READING, {"digits": DIGITS})["digits"]
    assert found == pytest.approx(float(expected), abs=1e-4)


def test_the_nearest_are_chosen() -> None:
    similarity = {"a": 0.2, "b": 0.9, "c": -0.1, "d": 0.5}
    assert soup.chosen(similarity, 5) == ["b", "d", "a", "c"]
    assert soup.chosen(similarity, 2) == ["b", "d"]
