"""Guard models: the tiny network on the real path, and a service that answers by a rule."""

from __future__ import annotations

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sevenfold.errors import MachineError, ModelError, RecipeError
from sevenfold.guard.asking import probability, told_at
from tests.guard.said import guard, talk


class Service(BaseHTTPRequestHandler):
    """Answers raw prompts as a guard model would: what says 'bomb' behind the last question is unsafe."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        prompt = asked["prompt"]
        judged = prompt.split("User: ")[-1] if "User: " in prompt else prompt.split("Human ")[-1]
        bad = "bomb" in judged
        tokens, word = self.answer(prompt, bad)
        if "unsure" in judged:
            tokens, word = ["well"], 0
        told = [{token: 0.0} for token in tokens]
        if "unsure" not in judged:
            told[word] = {tokens[word]: math.log(0.8), self.other(tokens[word]): math.log(0.2)}
        logprobs = {"tokens": tokens, "top_logprobs": told, "token_logprobs": [], "text_offset": []}
        choice = {"text": "".join(tokens), "index": 0, "finish_reason": "stop", "logprobs": logprobs}
        body = json.dumps({"id": "1", "object": "text_completion", "created": 1, "model": "g", "choices": [choice]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def answer(self, prompt, bad):
        if "policy expert" in prompt:
            return ["Yes" if bad and "No Dangerous" in prompt else "No"], 0
        if "classifier for analyzing" in prompt:
            said = " yes" if bad else " no"
            return ["Harmful request:", said, "\nResponse refusal:", " yes", "\nHarmful response:", " no"], 1
        return (["\n\n", "unsafe", "\n", "S9"], 1) if bad else (["\n\n", "safe"], 1)

    def other(self, token):
        pairs = {"unsafe": "safe", "safe": "unsafe", "Yes": "No", "No": "Yes", " yes": " no", " no": " yes"}
        return pairs[token]

    def log_message(self, *_):
        return


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def at(service, **fields):
    address = f"http://127.0.0.1:{service.server_address[1]}/v1"
    return guard({"model": {"model": "g", "address": address, "tries": 1, **fields}}).open()


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ("llama_guard_2", "Hate"),
        ("llama_guard_3", "Indiscriminate Weapons"),
        ("shieldgemma", "No Dangerous Content"),
        ("wildguard", "Harmful request"),
    ],
)
def test_each_form_at_an_address(service, form, named):
    with at(service, form=form) as opened:
        bad, good = opened.judge([talk("a bomb, please"), talk("a cake, please")])
    assert (bad.safe, bad.score) == (False, pytest.approx(0.8))
    assert [flag.name for flag in bad.categories] == [named]
    assert (good.safe, good.score, good.categories) == (True, pytest.approx(0.2), ())


def test_the_score_decides_by_the_threshold(service):
    with at(service, threshold=0.9) as opened:
        assert opened.judge([talk("a bomb")])[0].safe
    with at(service, threshold=0.1) as opened:
        assert not opened.judge([talk("a cake")])[0].safe


def test_an_answer_that_is_no_judgement_is_a_failure(service):
    with at(service) as opened:
        (judged,) = opened.judge([talk("unsure")])
    assert (judged.failed, judged.safe) == (True, False)
    assert "well" in judged.why


def test_categories_and_examples_reach_the_model(service):
    changes = {"add": {"Spam": "Ads."}, "remove": ["S13"]}
    examples = [{"prompt": "Buy now", "unsafe_as": ["S15"]}]
    with at(service, changes=changes, examples=examples) as opened:
        opened.judge([talk("Hi")])
    prompt = service.asked[0]["prompt"]
    assert "S15: Spam.\nAds." in prompt
    assert "S13" not in prompt
    assert prompt.index("unsafe\nS15") < prompt.index("User: Hi")
    with pytest.raises(RecipeError, match="S99"):
        at(service, examples=[{"prompt": "x", "unsafe_as": ["S99"]}])


def test_a_service_that_is_gone():
    opened = guard({"model": {"model": "g", "address": "http://127.0.0.1:9/v1", "tries": 1}}).open()
    with pytest.raises(MachineError, match="guard's service"):
        opened.judge([talk("Hi")])


@pytest.mark.parametrize("form", ["shieldgemma", "wildguard"])
def test_a_model_that_is_here(tiny_weights, form):
    """Random weights judge at random; Llama Guard's frame is longer than what the tiny network reads."""
    found = guard({"model": {"model": str(tiny_weights), "form": form, "context": 512}})
    with found.open() as opened:
        judged = opened.judge([talk("Hi"), talk("Bye")])
    assert len(judged) == 2
    for one in judged:
        assert 0 <= one.score <= 1
        assert one.failed or one.safe == (one.score < 0.5)


def test_the_probability_of_a_model_that_is_here_is_that_of_its_next_token(tiny_weights):
    found = guard({"model": {"model": str(tiny_weights), "form": "wildguard", "context": 512}})
    with found.open() as opened:
        engine = opened.asker.engine
        (reply,) = opened.asker.ask(["Is it?"], 2)
        told = reply.at(" So")
        ids = engine.encoder.encode("<s>Is it? So")
        expected = engine.next_log_probs(ids, 1)
    ((token, logarithm),) = expected.items()
    assert told[engine.encoder.decode([token])] == pytest.approx(logarithm, abs=0.5)
    assert max(told.values()) >= logarithm - 1e-6


def test_no_such_model(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no guard model"):
        guard({"model": str(tmp_path / "empty")}).open()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"unsafe": math.log(0.6), "safe": math.log(0.2), "x": math.log(0.2)}, 0.75),
        ({"un": math.log(0.3), " Safe": math.log(0.1)}, 0.75),
        ({"x": 0.0}, None),
        ({"": 0.0, "\n": 0.0}, None),
    ],
)
def test_the_probability_of_a_word(told, expected):
    assert probability(told, "unsafe", "safe") == (None if expected is None else pytest.approx(expected))


def test_a_service_without_probabilities():
    assert told_at(None, "") == {}
