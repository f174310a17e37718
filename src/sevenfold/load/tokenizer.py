"""A tokenizer that is safe to use: a template, stop tokens, and a padding token that can never be one of them.

A padding token that is also the end token is masked out of the loss by many trainers, so the model never learns to
stop; the pair is taken apart here, once, for every later stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sevenfold.chat import templates
from sevenfold.chat.conversation import Message
from sevenfold.chat.encoder import Encoder
from sevenfold.errors import ModelError
from sevenfold.kind import Kind
from sevenfold.load.weights import read_json
from sevenfold.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PROBE = (Message("user", "Question"), Message("assistant", "Answer"))
PAD = "<|pad|>"
PAD_HINTS = ("pad", "endoftext", "end_of_text", "reserved", "unused", "extra")
"""Parts of the names of tokens that stand for nothing in a text, in order of preference."""


@dataclass
class Safe:
    """A tokenizer that is ready for use.

    Args:
        tokenizer: With its template and its padding token set.
        stop_ids: Every id that ends a turn, sorted.
        notes: What was found and chosen, one sentence each.
        warnings: What the user should look at.
    """

    tokenizer: PreTrainedTokenizerBase
    stop_ids: list[int]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def named(self, token: int) -> str:
        """A token as people write it, with its id."""
        return f"{self.tokenizer.convert_ids_to_tokens(token)!r} (id {token})"


def prepare(folder: Path, template: str, vocabulary: int, kind: Kind = "causal") -> Safe:
    """Read a tokenizer and make it safe.

    Args:
        folder: The model's folder.
        template: ``load.template``.
        vocabulary: Rows of the model's embedding.
        kind: What reads it: an encoder or an encoder-decoder without a template gets the plain one.

    Raises:
        ModelError: There is no tokenizer or template, the template is refused, or nothing ends a reply.
    """
    tokenizer = read(folder)
    chosen = set_template(tokenizer, template, folder, kind)
    encoder = Encoder(tokenizer, [])
    text = encoder.render(PROBE, reply_follows=False)
    written = encoder.encode(text)
    safe = Safe(tokenizer, stop_ids(encoder, text, declared_ends(folder)))
    if chosen != template:
        safe.notes.append(f"the tokenizer has no chat template of its own; {chosen} stands for it")
    safe.notes.append(f"stop tokens: {', '.join(map(safe.named, safe.stop_ids))}")
    check_end(safe, text)
    check_start(safe, text, written)
    set_pad(safe, written, vocabulary)
    return safe


def read(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a folder; code that a model brings is never run.

    Raises:
        ModelError: It cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # tokenizers raises plain Exception for a broken file
        raise ModelError(
            f"cannot read the tokenizer: {str(error).strip().splitlines()[0]}",
            where=str(folder),
            expected="tokenizer.json, or a vocabulary with tokenizer_config.json",
        ) from error
    return found


def set_template(tokenizer: PreTrainedTokenizerBase, name: str, folder: Path, kind: Kind = "causal") -> str:
    """Give the tokenizer its chat template, and say which.

    Raises:
        ModelError: There is no such template, or it is ``own`` and the tokenizer has none.
    """
    if name != templates.OWN:
        tokenizer.chat_template = templates.read(name)
        return name
    own: Any = tokenizer.chat_template
    if isinstance(own, dict):
        own = tokenizer.chat_template = own.get("default")
    if not own and kind != "causal":
        return set_template(tokenizer, templates.PLAIN, folder)
    if not own:
        others = [choice for choice in templates.names() if choice != templates.OWN]
        raise ModelError(
            "the tokenizer has no chat template of its own",
            where=str(folder),
            alternatives=others,
            next_step="set load.template to one of these or to the path of a .jinja file, "
            f"for example load.template: {others[0]}",
        )
    return name


def template_fingerprint(name: str) -> str:
    """A hash of the template's text; ``own`` belongs to the tokenizer's files."""
    return name if name == templates.OWN else hashlib.sha256(templates.read(name).encode()).hexdigest()


def declared_ends(folder: Path) -> list[int]:
    """The end tokens of the generation config, or of the model's config where there is none."""
    path = folder / "generation_config.json"
    declared = read_json(path if path.is_file() else folder / "config.json").get("eos_token_id")
    if declared is None:
        return []
    return list(declared) if isinstance(declared, list) else [declared]


def stop_ids(encoder: Encoder, text: str, declared: list[int]) -> list[int]:
    """Every id that ends a turn: the tokenizer's, the declared ones, and the one the template writes.

    Args:
        encoder: The tokenizer with its template.
        text: The probe conversation, rendered.
        declared: What the model's files declare.

    Raises:
        ModelError: There is none.
    """
    found = set(declared)
    if isinstance(encoder.tokenizer.eos_token_id, int):
        found.add(encoder.tokenizer.eos_token_id)
    special = special_ids(encoder.tokenizer)
    # Some templates write two tokens behind a reply; the first is what the model says to end its turn.
    found.update([token for token in encoder.encode(behind_reply(text)) if token in special][:1])
    if not found:
        raise ModelError(
            "nothing ends a reply: the tokenizer has no end token and the template writes none",
            where=str(encoder.tokenizer.name_or_path),
            next_step="set eos_token in tokenizer_config.json, or choose a template that writes an end token",
        )
    return sorted(found)


def behind_reply(text: str) -> str:
    """What the template writes behind the probe's reply."""
    return text.rpartition(PROBE[-1].content)[2]


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Tokens that were added beside the text's own: the special ones and their like."""
    return {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}


def check_end(safe: Safe, text: str) -> None:
    """Warn when the template's end of turn is plain text for this tokenizer."""
    end = behind_reply(text).strip()
    ids = safe.tokenizer(end, add_special_tokens=False)["input_ids"]
    if end and not set(ids) & set(safe.stop_ids):
        safe.warnings.append(
            f"the template ends a reply with {end!r}, which is no special token of this tokenizer but {len(ids)} plain "
            f"ones; {safe.named(safe.stop_ids[0])} is added behind it"
        )


def check_start(safe: Safe, text: str, written: list[int]) -> None:
    """Compare the start token that the template writes with the one that the tokenizer would add."""
    bos = safe.tokenizer.bos_token_id
    added = safe.tokenizer(text)["input_ids"]
    if bos is None or added == written or added[0] != bos:
        return
    if written[0] == bos:
        safe.notes.append(
            f"the template writes the start token {safe.named(bos)} and the tokenizer would add a second one; "
            "rendered text is tokenised without it"
        )
    else:
        safe.warnings.append(
            f"the tokenizer would begin a text with {safe.named(bos)}, but the template does not write it, so "
            "conversations begin without; begin the template with {{ bos_token }} if the model was trained with it"
        )


def set_pad(safe: Safe, written: list[int], vocabulary: int) -> None:
    """Keep or choose a padding token that is no stop token and that no conversation contains.

    The vocabulary is never resized: where no token can be set aside and the embedding has no spare row, there is no
    padding token, and batches are filled with an id that attention never sees (``Model.pad_id``).
    """
    tokenizer, taken = safe.tokenizer, {*safe.stop_ids, *written}
    before = tokenizer.pad_token_id
    if before is not None and before not in taken:
        return
    was = "no padding token" if before is None else f"the padding token {safe.named(before)}, which ends a turn"
    chosen = next((token for token in pad_candidates(tokenizer) if token not in taken), None)
    if chosen is not None:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(chosen)
        safe.notes.append(f"the tokenizer came with {was}; padding is now {safe.named(chosen)}")
    elif len(tokenizer) < vocabulary:
        tokenizer.add_special_tokens({"pad_token": PAD})
        safe.notes.append(
            f"the tokenizer came with {was}; padding is now {safe.named(tokenizer.pad_token_id)}, a spare row of the "
            "embedding"
        )
    else:
        tokenizer.pad_token = None
        safe.warnings.append(
            f"the tokenizer came with {was}, and has no token to set aside; nothing here needs one, tools that pad do"
        )


def pad_candidates(tokenizer: PreTrainedTokenizerBase) -> Iterator[int]:
    """Existing tokens that could pad, best first."""
    if tokenizer.unk_token_id is not None:
        yield tokenizer.unk_token_id
    special = sorted(special_ids(tokenizer))
    names = tokenizer.convert_ids_to_tokens(special)
    for hint in PAD_HINTS:
        yield from (token for token, name in zip(special, names, strict=True) if hint in name.lower())
