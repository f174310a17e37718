"""Words to tokens: replies stand behind what a server sends, and end as turns end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat import templates
from sevenfold.chat.conversation import Conversation
from sevenfold.chat.encoder import Encoder, TokenSequence
from sevenfold.errors import ModelError
from tests import tiny

TWO_TURNS = Conversation.of(
    [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "the answer"},
        {"role": "user", "content": "more"},
        {"role": "assistant", "content": "سلام دنیا"},
    ]
)


@pytest.fixture(scope="module")
def encoder(tiny_model) -> Encoder:
    return tiny_model.encoder()


def learnt(sequence, encoder: Encoder) -> str:
    pairs = zip(sequence.ids, sequence.weights, strict=True)
    return encoder.decode([token for token, weight in pairs if weight > 0])


def test_turns_share_a_sequence_while_a_server_would_send_the_same(encoder) -> None:
    (sequence,) = encoder.sequences(TWO_TURNS)
    assert learnt(sequence, encoder) == "the answer<|im_end|>سلام دنیا<|im_end|>"
    assert encoder.decode(sequence.ids).endswith("سلام دنیا<|im_end|>")


def test_a_turn_of_weight_zero_is_read_but_not_learnt(encoder) -> None:
    first = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "no", "weight": 0}]
    second = [{"role": "user", "content": "b"}, {"role": "assistant", "content": "yes", "weight": 2}]
    (sequence,) = encoder.sequences(Conversation.of(first + second))
    assert learnt(sequence, encoder) == "yes<|im_end|>"
    assert max(sequence.weights) == 2


def test_a_template_that_rewrites_history_makes_several_sequences(tmp_path, tiny_model) -> None:
    # Earlier replies are shortened when the conversation goes on, as templates of thinking models do.
    forgetful = (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
        "{% if m['role'] == 'assistant' and not loop.last %}{{ '...' }}{% else %}{{ m['content'] }}{% endif %}"
        "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    )
    tokenizer = tiny_model.tokenizer()
    tokenizer.chat_template = forgetful
    encoder = Encoder(tokenizer, [2])
    first, second = encoder.sequences(TWO_TURNS)
    assert learnt(first, encoder) == "the answer<|im_end|>"
    assert learnt(second, encoder) == "سلام دنیا<|im_end|>"
    assert "the answer" not in encoder.decode(second.ids)


def test_a_template_whose_prompt_is_not_a_prefix_is_refused(tiny_model) -> None:
    tokenizer = tiny_model.tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] + '<|im_end|>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'ANSWER:' }}{% endif %}"
    )
    with pytest.raises(ModelError, match="behind another text"):
        Encoder(tokenizer, [2]).sequences(TWO_TURNS)


def test_a_template_that_refuses_is_told_with_the_roles(tiny_model) -> None:
    tokenizer = tiny_model.tokenizer()
    tokenizer.chat_template = "{{ raise_exception('no system turns here') }}"
    with pytest.raises(ModelError, match=r"no system turns here[\s\S]*roles: user"):
        Encoder(tokenizer, [2]).prompt(TWO_TURNS.messages[:1])


def test_a_tokenizer_without_template_is_refused(tmp_path) -> None:
    from transformers import AutoTokenizer

    tiny.make_tokenizer(tmp_path, template=None)
    with pytest.raises(ModelError, match=r"no chat template[\s\S]*load\.template"):
        Encoder(AutoTokenizer.from_pretrained(tmp_path), [2])


@pytest.mark.parametrize("name", [name for name in templates.names() if name != "own"])
def test_shipped_templates_end_replies_and_keep_words(name: str, tiny_model) -> None:
    tokenizer = tiny_model.tokenizer()
    tokenizer.chat_template = templates.read(name)
    encoder = Encoder(tokenizer, [2])
    (sequence,) = encoder.sequences(TWO_TURNS)
    assert learnt(sequence, encoder) == "the answer<|im_end|>سلام دنیا<|im_end|>"
    text = encoder.render(TWO_TURNS.messages[:1], reply_follows=True)
    assert "hello" in text
    if name == "plain":
        # It is for models without turns: contents between the tokenizer's own markers.
        assert text == "<|im_start|>hello<|im_end|>"
        return
    marker = {"human_assistant": "### Assistant:", "alpaca": "### Response:", "chatml": "<|im_start|>assistant"}[name]
    assert text.rstrip().endswith(marker)


def test_an_unknown_template_lists_the_names() -> None:
    with pytest.raises(ModelError, match="did you mean: alpaca"):
        templates.read("alpacca")


def test_an_end_is_added_where_the_template_writes_none(tiny_model) -> None:
    tokenizer = tiny_model.tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    encoder = Encoder(tokenizer, [2])
    sequences = encoder.sequences(TWO_TURNS)
    assert all(sequence.ids[-1] == 2 for sequence in sequences)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="<|>"), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(contents=st.lists(TEXT, min_size=2, max_size=6))
def test_any_words_are_learnt_exactly_behind_what_a_server_sends(contents: list[str], encoder) -> None:
    turns = [
        {"role": "user" if index % 2 == 0 else "assistant", "content": text} for index, text in enumerate(contents)
    ]
    conversation = Conversation.of(turns)
    sequences = encoder.sequences(conversation)
    replies = [conversation.messages[index].content for index in conversation.replies]
    assert "".join(learnt(sequence, encoder) for sequence in sequences) == "".join(f"{r}<|im_end|>" for r in replies)
    for sequence in sequences:
        starts = [i for i, w in enumerate(sequence.weights) if w and not sequence.weights[i - 1]]
        prompts = [encoder.prompt(conversation.messages[:index]) for index in conversation.replies]
        assert all(sequence.ids[:start] in prompts for start in starts)


def test_virtual_tokens_stand_before_every_sequence_and_every_prompt_and_have_no_text(encoder, tiny_model) -> None:
    led = tiny_model.encoder([400, 401])
    messages = TWO_TURNS.messages[:1]
    assert led.prompt(messages) == [400, 401, *encoder.prompt(messages)]
    assert led.sequences(TWO_TURNS) == [sequence.led([400, 401]) for sequence in encoder.sequences(TWO_TURNS)]
    assert led.reply(TWO_TURNS.messages, 1) == encoder.reply(TWO_TURNS.messages, 1)
    assert led.decode(led.prompt(messages)) == encoder.decode(encoder.prompt(messages))
    assert tiny_model.encoder().lead == ()


def test_a_sequence_behind_what_led_it_is_the_sequence() -> None:
    sequence = TokenSequence([5, 6, 7], [0.0, 1.0, 0.5])
    led = sequence.led([400, 401])
    assert (led.ids, led.weights) == ([400, 401, 5, 6, 7], [0.0, 0.0, 0.0, 1.0, 0.5])
    assert led.supervised == 2
    assert led.behind(2) == sequence
