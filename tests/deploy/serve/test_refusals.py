from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from tests.deploy.serve.conftest import MODEL, serving

HI = [{"role": "user", "content": "hi"}]


def error_of(response):
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


def post(served, **body):
    return served.http.post("/v1/chat/completions", json={"model": MODEL, "messages": HI, "max_tokens": 4, **body})


def test_a_wrong_or_missing_key_is_refused(engine, monkeypatch):
    monkeypatch.setenv("SEVENFOLD_API_KEY", "right")
    with serving(engine) as served:
        with pytest.raises(openai.AuthenticationError, match="the key is wrong"):
            served.client("wrong").models.list()
        missing = served.http.get("/v1/models")
        assert missing.status_code == 401
        assert "Authorization: Bearer" in error_of(missing)["message"]
        assert missing.headers["WWW-Authenticate"] == "Bearer"
        assert served.http.get("/metrics").status_code == 401
        assert served.http.get("/health").status_code == 200
        assert served.client("right").models.list().data[0].id == MODEL


@pytest.mark.parametrize(
    ("body", "words"), [(b"{broken", "not JSON"), (b"\xff\xfe", "not JSON"), (b"[1]", "expected an object")]
)
def test_a_body_that_is_no_json_object_is_refused(served, body, words):
    response = served.http.post("/v1/chat/completions", content=body)
    assert response.status_code == 400
    assert words in error_of(response)["message"]
    assert served.last().status == 400


def test_a_body_over_the_limit_is_refused_with_the_limit(engine):
    with serving(engine, max_body_bytes=1000) as served:
        response = post(served, messages=[{"role": "user", "content": "x" * 2000}])
        assert response.status_code == 413
        assert "1,000 bytes" in error_of(response)["message"]


def test_a_prompt_over_the_context_is_refused_with_counts(served, engine):
    with pytest.raises(openai.BadRequestError) as caught:
        served.client().completions.create(model=MODEL, prompt=[5] * 600)
    assert "600 tokens" in caught.value.message
    assert "512" in caught.value.message
    assert caught.value.code == "context_length_exceeded"
    assert served.last().prompt_tokens == 600


def test_another_model_is_refused_with_the_one_there_is(served):
    response = post(served, model="gpt-4")
    assert response.status_code == 404
    assert error_of(response)["message"] == "there is no model 'gpt-4'; available: tiny-tuned"


@pytest.mark.parametrize(
    ("field", "value"), [("n", 2), ("tools", [{"type": "function"}]), ("logprobs", True), ("presence_penalty", 0.5)]
)
def test_what_would_change_the_answer_and_is_not_offered_is_refused(served, field, value):
    response = post(served, **{field: value})
    assert (response.status_code, error_of(response)["param"]) == (400, field)


def test_fields_that_change_nothing_are_ignored(served):
    assert post(served, n=1, store=False, metadata={"a": "b"}, unheard_of=3, tools=[]).status_code == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"model": None}, "model"),
    ],
)
def test_a_wrong_field_is_named(served, change, param):
    response = post(served, **change)
    assert (response.status_code, error_of(response)["param"]) == (400, param)


def test_an_id_that_is_no_token_is_refused(served):
    response = served.http.post("/v1/completions", json={"model": MODEL, "prompt": [1, 99999]})
    assert response.status_code == 400
    assert "99999 is no token id" in error_of(response)["message"]


def test_an_address_or_method_that_does_not_exist_is_refused_in_the_same_form(served):
    assert "/v1/nothing" in error_of(served.http.get("/v1/nothing"))["message"]
    assert served.http.get("/v1/chat/completions").status_code == 405


def test_overload_is_refused_with_a_time_to_retry(slow):
    with serving(slow, at_once=1, queue=1) as served, ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: post(served, max_tokens=12), range(6)))
        codes = sorted(response.status_code for response in responses)
        assert codes[:2] == [200, 200]
        assert codes[-1] == 429
        refused = next(response for response in responses if response.status_code == 429)
        assert int(refused.headers["Retry-After"]) >= 1
        assert error_of(refused)["type"] == "rate_limit_error"
        assert post(served).status_code == 200


def test_the_time_limit_ends_an_answer_and_frees_the_engine(slow):
    with serving(slow, timeout=0.5, at_once=1, queue=0) as served:
        response = post(served, max_tokens=400)
        assert response.status_code == 504
        assert "longer than 0.5 seconds" in error_of(response)["message"]
        assert served.last().answer
        wait_until_free(served)
        events = served.http.post(
            "/v1/chat/completions", json={"model": MODEL, "messages": HI, "max_tokens": 400, "stream": True}
        ).text
        assert '"code": "timeout"' in events
        assert "[DONE]" not in events


def test_a_client_that_hangs_up_stops_its_generation(slow):
    with serving(slow, at_once=1, queue=0) as served:
        body = {"model": MODEL, "messages": HI, "max_tokens": 400, "stream": True}
        with served.http.stream("POST", "/v1/chat/completions", json=body) as response:
            next(response.iter_lines())
        told = served.last()
        assert (told.status, told.finish_reason) == (499, None)
        wait_until_free(served)
        assert slow.stopped == 1
        thread = threading.Thread(target=give_up, args=(served,))
        thread.start()
        thread.join()
        assert served.last(2).status == 499
        wait_until_free(served)
        assert slow.stopped == 2


def give_up(served):
    """Ask for a long answer that is not streamed, and leave."""
    body = {"model": MODEL, "messages": HI, "max_tokens": 400}
    with pytest.raises(Exception, match="timed out"):
        served.http.post("/v1/chat/completions", json=body, timeout=0.3)


def wait_until_free(served):
    deadline = time.monotonic() + 5
    while "sevenfold_requests_inside 0.0" not in served.http.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_engine_that_fails_is_an_error_and_no_traceback(engine, monkeypatch):
    def fail(prompt, sampling):
        raise RuntimeError("secret detail")
        yield

    monkeypatch.setattr(engine, "stream", fail)
    with serving(engine) as served:
        response = post(served)
        assert response.status_code == 500
        assert "secret" not in response.text
        assert error_of(response)["type"] == "server_error"
        assert "secret detail" in served.last().error
        events = post(served, stream=True).text
        assert "engine_failed" in events
        wait_until_free(served)


def test_an_observer_that_fails_does_not_spoil_the_answer(engine):
    from sevenfold.deploy.section import Serving
    from sevenfold.deploy.serve.server import background
    from tests.deploy.serve.conftest import Served

    def observe(exchange):
        raise OSError("disk full")

    with background(engine, MODEL, Serving(), observe) as address:
        assert post(Served(address, [])).status_code == 200
