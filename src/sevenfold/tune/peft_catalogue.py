"""Which of PEFT's types pass the contract of methods, and why the others are refused; as of PEFT 0.21."""

from __future__ import annotations

OPEN = (
    "BEFT",
    "BOFT",
    "C3A",
    "DEFT",
    "DELORA",
    "FOURIERFT",
    "FROD",
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
    "PEANUT",
    "PSOFT",
    "RANDLORA",
    "ROAD",
    "SHIRA",
    "SUPERTUNING",
    "TINYLORA",
    "TRAINABLE_TOKENS",
    "UNILORA",
    "VBLORA",
    "VERA",
    "WAVEFT",
)
"""Types that a recipe may name."""
PROMPTS = "it stands before the conversation and changes no layer; see the methods prompt, prefix and p_tuning"
REFUSED = {
    "ADALORA": "its ranks are chosen step by step, which tune.method: adalora does",
    "ADAMSS": "",
    "ADAPTION_PROMPT": "",
    "CARTRIDGE": PROMPTS,
    "CPT": PROMPTS,
    "LILY": "its router averages over all tokens of a pass: over later ones, and over those of other rows",
    "MULTITASK_PROMPT_TUNING": PROMPTS,
    "OSF": "",
    "POLY": "every row must say which task it is of",
    "PREFIX_TUNING": PROMPTS,
    "PROMPT_TUNING": PROMPTS,
    "PVERA": "its forward pass in training is drawn at random, so that no two ways to compute it agree",
    "P_TUNING": PROMPTS,
    "SHADOW": "a second network runs beside the first, which only PEFT's own model can call",
    "XLORA": "it mixes adapters that are trained already, and calls the network twice for that",
}
"""Types that cannot work here, with the reason."""
