"""Stage 2: a model's name to a model on disk."""

from __future__ import annotations

from sevenfold.load import card, places, teacher, tokenizer
from sevenfold.load.model import Model, Teacher
from sevenfold.load.section import LoadSection
from sevenfold.record import Entry


def load(section: LoadSection, entry: Entry) -> Model:
    """Find a model, check its files, make its tokenizer safe; the network itself is built when it is needed.

    Args:
        section: Which model, revision and chat template; perhaps a teacher.
        entry: Where the tokenizer is kept and what was found is written.

    Raises:
        ModelError: There is no such model, or its weights, tokenizer or template cannot be used.
        MachineError: It cannot be fetched or kept.
    """
    place = places.find(section.model, section.revision)
    known = card.describe(section.model, place)
    safe = tokenizer.prepare(place.folder, section.template, known.vocabulary, known.kind)
    entry.note(
        f"{known.name}: {known.architecture}, {known.parameters:,} parameters, {known.context:,} tokens of context, "
        f"licence {known.licence}, from {known.source}"
    )
    if place.revision:
        entry.note(f"the hub's commit is {place.revision}; set load.revision to it to name it in the recipe")
    if known.headless:
        entry.warn(
            "the weights have no head that fills in masked tokens: embeddings and labels can be learnt, masked tokens "
            "and label words would begin with a random head"
        )
    for note in safe.notes:
        entry.note(note)
    for warning in safe.warnings:
        entry.warn(warning)
    entry.metric("parameters", known.parameters)
    entry.metric("size_bytes", known.size_bytes)
    entry.metric("stop_ids", safe.stop_ids)
    entry.metric("pad_id", safe.tokenizer.pad_token_id)
    model = Model(card=known, weights=place.folder, revision=place.revision, stop_ids=safe.stop_ids)
    safe.tokenizer.save_pretrained(entry.folder / "tokenizer")
    model = model.save(entry.folder)
    if section.teacher:
        model.teacher = load_teacher(section.teacher, model, entry)
    return model.save(entry.folder)


def load_teacher(name: str, model: Model, entry: Entry) -> Teacher:
    """Find the model that the first learns from; it goes into the folder ``teacher``.

    Raises:
        ModelError: As of :func:`load`, or the run that it names is not trained.
    """
    folder, tuned = entry.folder / teacher.FOLDER, None
    if teacher.is_run(name):
        base, tuned = teacher.base_of(name)
        found = teacher.copied(base, folder)
        entry.note(f"teacher: what the run {name} learnt, on {found.card.name}")
    else:
        template = teacher.template_for(name, model.encoder().tokenizer, folder)
        inner = Entry(folder, entry.console)
        found = load(LoadSection(model=name, template=template), inner)
        entry.record.notes += [f"teacher: {note}" for note in inner.record.notes]
    related = teacher.related(model, found, tuned)
    if related.refusal:
        entry.note(f"the teacher's probabilities cannot be compared, its answers can be learnt: {related.refusal}")
    return related
