from __future__ import annotations

import pytest

from sevenfold.chat import templates
from sevenfold.errors import ModelError
from sevenfold.load import tokenizer
from tests import tiny

TEXTS = ["It's 3.14 — “quoted”.", "سلام دنیا، می‌روم خانه.", "def f(x):\n\treturn  x  # ok\n\n"]


@pytest.mark.parametrize("text", TEXTS)
def test_text_comes_back_as_it_was(weights, text):
    safe = tokenizer.prepare(weights, "own", 400)
    ids = safe.tokenizer(text, add_special_tokens=False)["input_ids"]
    assert safe.tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_no_template_names_the_choices(weights):
    (weights / "chat_template.jinja").unlink()
    with pytest.raises(ModelError) as caught:
        tokenizer.prepare(weights, "own", 400)
    assert caught.value.alternatives == ("alpaca", "chatml", "human_assistant", "plain")
    assert "load.template: alpaca" in str(caught.value)
    assert tokenizer.prepare(weights, "chatml", 400).tokenizer.chat_template == templates.read("chatml")


def test_an_unknown_template(weights):
    with pytest.raises(ModelError) as caught:
        tokenizer.prepare(weights, "chatlm", 400)
    assert caught.value.suggestion == "chatml"


def test_a_template_file_that_breaks(weights, tmp_path):
    (tmp_path / "bad.jinja").write_text("{{ raise_exception('only tools') }}")
    with pytest.raises(ModelError, match="only tools"):
        tokenizer.prepare(weights, str(tmp_path / "bad.jinja"), 400)


def test_a_broken_tokenizer(weights):
    (weights / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match="cannot read the tokenizer"):
        tokenizer.prepare(weights, "own", 400)


def test_stop_tokens_come_from_all_three_places(weights, edit):
    """The tokenizer says one token, the generation config another, the template writes a third."""
    edit(weights / "tokenizer_config.json", eos_token="<|endoftext|>", pad_token="<|endoftext|>", bos_token=None)
    edit(weights / "generation_config.json", eos_token_id=[1, 0])
    safe = tokenizer.prepare(weights, "own", 400)
    assert safe.stop_ids == [0, 1, 2]


def test_the_models_config_ends_where_there_is_no_generation_config(weights, edit):
    (weights / "generation_config.json").unlink()
    edit(weights / "config.json", eos_token_id=7)
    assert tokenizer.prepare(weights, "own", 400).stop_ids == [2, 7]


def test_nothing_ends_a_reply(weights, edit, tmp_path):
    edit(weights / "tokenizer_config.json", eos_token=None)
    (weights / "generation_config.json").write_text("{}")
    (tmp_path / "plain.jinja").write_text("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    with pytest.raises(ModelError, match="nothing ends a reply"):
        tokenizer.prepare(weights, str(tmp_path / "plain.jinja"), 400)


def test_a_spare_row_of_the_embedding_pads(weights, edit):
    """Every existing token ends turns, and the embedding is longer than the tokenizer."""
    edit(weights / "tokenizer_config.json", pad_token="<|im_end|>")
    edit(weights / "generation_config.json", eos_token_id=[0, 1, 2])
    size = len(tokenizer.read(weights))
    safe = tokenizer.prepare(weights, "own", size + 1)
    assert (safe.tokenizer.pad_token, safe.tokenizer.pad_token_id) == (tokenizer.PAD, size)
    assert "a spare row" in safe.notes[-1]


def test_without_a_spare_row_nothing_is_resized(weights, edit, loaded):
    edit(weights / "tokenizer_config.json", pad_token="<|im_end|>")
    edit(weights / "generation_config.json", eos_token_id=[0, 1, 2])
    size = len(tokenizer.read(weights))
    safe = tokenizer.prepare(weights, "own", size)
    assert safe.tokenizer.pad_token_id is None
    assert len(safe.tokenizer) == size
    assert "no token to set aside" in safe.warnings[-1]


def test_a_batch_can_be_filled_without_a_padding_token(tmp_path):
    from sevenfold.load.model import Card, Model

    tiny.make_tokenizer(tmp_path / "tokenizer")
    path = tmp_path / "tokenizer" / "tokenizer_config.json"
    path.write_text(path.read_text().replace('"pad_token": "<|endoftext|>",', ""))
    model = Model(card=Card(name="x"), weights=tmp_path, stop_ids=[0, 1, 2]).save(tmp_path)
    assert model.tokenizer().pad_token_id is None
    assert model.pad_id() == 3


def test_an_end_of_turn_that_is_plain_text(weights, edit, tmp_path):
    (tmp_path / "mine.jinja").write_text("{% for m in messages %}{{ m.content }}</turn>{% endfor %}")
    safe = tokenizer.prepare(weights, str(tmp_path / "mine.jinja"), 400)
    assert "'</turn>', which is no special token" in safe.warnings[0]


def test_a_doubled_start_is_said(weights, tmp_path):
    text = "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}"
    (tmp_path / "mine.jinja").write_text(text)
    with_start(weights)
    safe = tokenizer.prepare(weights, str(tmp_path / "mine.jinja"), 400)
    assert any("would add a second one" in note for note in safe.notes)
    assert safe.warnings == []


def test_a_missing_start_is_a_warning(weights, tmp_path):
    (tmp_path / "mine.jinja").write_text("{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}")
    with_start(weights)
    safe = tokenizer.prepare(weights, str(tmp_path / "mine.jinja"), 400)
    assert "conversations begin without" in safe.warnings[0]


def with_start(folder):
    """Make the tokenizer add its start token to every text."""
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    path = str(folder / "tokenizer.json")
    inner = Tokenizer.from_file(path)
    inner.post_processor = TemplateProcessing(single="<|im_start|> $A", special_tokens=[("<|im_start|>", 1)])
    inner.save(path)
