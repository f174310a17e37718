"""Names by a model that tags tokens: a small one, really trained on a few words."""

from __future__ import annotations

import json

import pytest

from sevenfold.errors import ModelError
from sevenfold.prepare.pii import LATIN_DIGITS
from sevenfold.prepare.pii.names import Names, kind_of
from tests.prepare.conftest import section_of

PEOPLE = ["ada", "lovelace", "maryam", "mirzakhani", "مریم", "زهرا"]
OTHERS = "we met on monday in berlin and then wrote to about the report با در تهران گزارش نوشت او"


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    """BERT without layers, which knows who is a person among some words, after some steps of training."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tagger")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", ",", *PEOPLE, *OTHERS.split()]
    plain = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    plain.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    PreTrainedTokenizerFast(
        tokenizer_object=plain, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=24,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=0, num_attention_heads=1, intermediate_size=16,
        max_position_embeddings=24, id2label={0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC"},
    )  # fmt: skip
    network = BertForTokenClassification(config)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    ids = torch.arange(len(words))
    labels = torch.tensor([1 if w in PEOPLE else 3 if w in ("berlin", "تهران") else 0 for w in words])
    for _ in range(60):
        order = torch.randperm(len(words))[:24]
        loss = network(ids[order][None], labels=labels[order][None]).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    network.save_pretrained(folder)
    return folder


def found(tagger, text, **more):
    return [text[start:end] for start, end in Names(model=str(tagger), **more).find(text.translate(LATIN_DIGITS))]


def test_names_are_found_whole_and_nothing_else(tagger):
    assert found(tagger, "we met ada lovelace in berlin, then maryam.") == ["ada lovelace", "maryam"]
    assert found(tagger, "او با مریم در تهران گزارش نوشت") == ["مریم"]
    assert found(tagger, "we wrote the report on monday") == []
    assert found(tagger, "") == []


def test_a_long_text_is_read_to_its_end_and_a_name_at_a_windows_border_is_one(tagger):
    text = " ".join(["we wrote to ada lovelace about the report"] * 30)
    assert found(tagger, text) == ["ada lovelace"] * 30


def test_the_kinds_are_the_recipes(tagger):
    assert found(tagger, "ada wrote in berlin", labels=("LOC",)) == ["berlin"]
    with pytest.raises(ModelError) as caught:
        found(tagger, "ada", labels=("PERSON",))
    assert list(caught.value.alternatives) == ["LOC", "O", "PER"]


def test_a_model_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ModelError, match="cannot be opened"):
        found(tmp_path / "none", "ada")


def test_prepare_masks_them_and_knows_the_models_files(tagger, run, write_rows):
    path = write_rows([{"prompt": "who is ada lovelace", "completion": "ada lovelace met maryam"}])
    asked = {"source": path, "clean": [{"pii": {"kinds": [{"names": str(tagger)}]}}]}
    done = run(**asked)
    (row,) = done.dataset.rows("train")
    assert [message.content for message in row.conversation.messages] == ["who is [NAMES_1]", "[NAMES_1] met [NAMES_2]"]
    assert done.report["found"]["pii"]["names"] == 3
    prints = section_of(**asked).outside()
    assert any(name.endswith("model.safetensors") for name in prints)
    config = json.loads((tagger / "config.json").read_text())
    (tagger / "config.json").write_text(json.dumps(config | {"note": 1}))
    assert section_of(**asked).outside() != prints


def test_kinds_of_labels():
    assert [kind_of(label) for label in ("B-PER", "I-PER", "PERSON", "O", "X-Y")] == [
        "PER",
        "PER",
        "PERSON",
        "O",
        "X-Y",
    ]
