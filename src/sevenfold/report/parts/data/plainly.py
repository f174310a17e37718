"""Steps and reasons in words for someone who does not code; what has none keeps its name."""

from __future__ import annotations

from sevenfold.report.words import plain

REASONS = {
    "duplicate": "say the same as another row",
    "near_duplicate": "say nearly the same as another row",
    "leak": "share text with what is held out for the test",
    "empty_reply": "have no reply to learn from",
    "empty_prompt": "ask nothing",
    "no_assistant_turn": "have no reply to learn from",
    "all_weights_zero": "have replies that are all marked as not to be learnt",
    "too_long": "are longer than the limit",
    "too_short": "are shorter than the limit",
    "over_limit": "are above the number of rows that was asked for",
    "personal_data": "hold personal data",
    "harmful": "have words of harmful text",
    "missing_value": "miss a value",
    "mislabelled": "have a label that is probably wrong",
    "unlabelled": "have no label yet",
    "semantic_duplicate": "say in other words what another row says",
    "not_selected": "were not among the best of the selection",
    "undersampled": "are of a label that has more rows than are wanted",
    "unreadable": "cannot be read",
    "withdrawn": "were taken out by name",
    "no_page": "are pages that did not come",
    "few_alphabetic_words": "are not made of words",
    "few_stop_words": "are no running text",
    "many_symbols": "have too many symbols",
    "too_few_words": "have too few words",
    "too_many_words": "have too many words",
}
STEPS = {
    "unicode": "One form for characters that look the same; control characters out",
    "whitespace": "Needless spaces and line breaks out",
    "mojibake": "Broken letters mended",
    "html": "Web markup to plain text",
    "persian": "Persian letters, digits and half-spaces as the Academy writes them",
    "pii": "Personal data masked",
    "repeats": "Phrases and sentences that come again and again out",
    "missing": "Missing values filled or their rows dropped",
    "language": "Language noted",
    "harmful": "Harmful words flagged",
    "quality": "Rows of poor quality dropped",
    "stems": "Stems of words noted",
    "lemmas": "Basic forms of words noted",
    "tokenise": "Words noted",
    "sentences": "Sentences noted",
    "stop_words": "Text without its most common words noted",
    "fold_system": "Instructions put into the question",
}
SPLITS = {
    "train": "to learn from",
    "validation": "to choose the best state by",
    "test": "to measure with",
}


def reason(name: str) -> str:
    """Why rows went, behind ``rows that``."""
    if name.startswith("language_"):
        return f"are in a language that was not asked for ({name.removeprefix('language_')})"
    return REASONS.get(name, f"went as {plain(name)!r}")


def step(name: str) -> str:
    """What a cleaning step does."""
    return STEPS.get(name, plain(name).capitalize())


def listed(parts: list[str]) -> str:
    """Parts of a sentence, with ``and`` before the last."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
