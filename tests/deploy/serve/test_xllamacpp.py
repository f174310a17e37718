from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from transformers import AutoTokenizer

from sevenfold.chat.encoder import Encoder
from sevenfold.generate.engine import Capacity
from sevenfold.generate.engines.xllamacpp import XllamacppEngine
from tests.deploy.serve.conftest import MODEL, serving
from tests.generate import llama_style

SAYING = "éسی🦊 ok"


@pytest.fixture(scope="module")
def parrot(tmp_path_factory):
    folder = llama_style.make_parrot(tmp_path_factory.mktemp("parrot"), SAYING)
    file = llama_style.convert(folder, folder / "parrot.gguf")
    encoder = Encoder(AutoTokenizer.from_pretrained(folder), [2])
    with XllamacppEngine(file, encoder, Capacity(threads=1, at_once=3, context=128)) as engine:
        yield engine


def test_openais_client_gets_the_answer_streamed_and_not_from_many_threads(parrot):
    with serving(parrot, at_once=3) as served:
        client = served.client()

        def ask(stream: bool) -> str:
            reply = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": "hi"}], stream=stream
            )
            if not stream:
                assert reply.choices[0].finish_reason == "stop"
                return reply.choices[0].message.content
            return "".join(chunk.choices[0].delta.content or "" for chunk in reply)

        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(ask, [True, False] * 6)) == {SAYING}
        counts = {(told.prompt_tokens, told.completion_tokens, told.answer) for told in served.exchanges}
        assert counts == {(counts_of(parrot, "hi"), 14, SAYING)}


def counts_of(engine, text):
    from sevenfold.chat.conversation import Message

    return len(engine.encoder.prompt([Message("user", text)]))
