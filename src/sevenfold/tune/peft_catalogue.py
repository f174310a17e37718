"""Which of PEFT's types pass the contract of methods, and why the others are refused; as of PEFT 0.21."""

from __future__ import annotations

OPEN = (
    "BEFT",
    "BOFT",
    "C3A",
    "DEFT",
    "DELORA",
    "FOURIERFT",
    "GLORA",
    "GRALORA",
    "HIRA",
    "HRA",
    "IA3",
    "LN_TUNING",
    "LOHA",
    "LOKR",
    "LORA",
    "MISS",
    "OFT",
    "OSF",
    "PEANUT",
    "PVERA",
    "RANDLORA",
    "ROAD",
    "SUPERTUNING",
    "TINYLORA",
    "TRAINABLE_TOKENS",
    "UNILORA",
    "VBLORA",
    "VERA",
    "WAVEFT",
)
"""Types that a recipe may name."""
PROMPT = "it stands before the conversation and changes no layer; see the methods prompt, prefix and p_tuning"
VALUES = "it reads the base's weights when it is put in, and a training is planned on a network that has none yet"
REFUSED = {
    "ADALORA": "its ranks are chosen step by step, which tune.method: adalora does",
    "ADAMSS": "its subspaces are found by scikit-learn and chosen step by step by a callback of another trainer",
    "ADAPTION_PROMPT": "PEFT puts attention layers of its own in and cannot take them out again; see the method prefix",
    "CARTRIDGE": PROMPT,
    "CPT": PROMPT,
    "FROD": VALUES,
    "LILY": "its router averages over all tokens of a pass: over later ones, and over those of other rows",
    "MULTITASK_PROMPT_TUNING": PROMPT,
    "POLY": "every row must say which task it is of",
    "PREFIX_TUNING": PROMPT,
    "PROMPT_TUNING": PROMPT,
    "PSOFT": "its file leaves out the frame that it found in the base's weights as they were rounded in training, so "
    "that beside a base of another precision it answers otherwise",
    "P_TUNING": PROMPT,
    "SHADOW": "a second network runs beside the first, which only PEFT's own model can call",
    "SHIRA": VALUES + "; see the method spiel",
    "XLORA": "it mixes adapters that are trained already, and calls the network twice for that",
}
"""Types that cannot be trained here, with the reason."""
DEFAULTS = {"C3A": {"init_weights": True}, "FOURIERFT": {"init_weights": True}}
"""Fields whose own default would change the base's answers before anything is learnt."""
DIFFERS = {
    "UNILORA": "its one vector is drawn at random: from zero nothing would move",
    "VBLORA": "its bank of vectors is drawn at random: from zero nothing would move",
}
"""Types with which a network answers other than its base before anything is learnt, with the reason."""
