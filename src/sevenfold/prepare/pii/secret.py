"""Keys and tokens that can be told by their form, as their issuers publish it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sevenfold.prepare.pii import Detector, Span

FORMS = {
    "private key": r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----[\s\S]{20,16000}?"
    r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----",
    "JSON web token": r"\beyJ[A-Za-z0-9_-]{10,500}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}",
    "AWS": r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b",
    "GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36,251}\b|\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b",
    "GitLab": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "Google": r"\bAIza[A-Za-z0-9_-]{35}(?![\w-])|\bya29\.[A-Za-z0-9_-]{20,}",
    "Slack": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "Stripe": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "OpenAI, Anthropic": r"\bsk-(?:ant-|proj-|svcacct-)?(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{32,300}",
    "Hugging Face": r"\bhf_[A-Za-z0-9]{34,}\b",
    "npm": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "SendGrid": r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}",
    "Telegram": r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])",
}
ANY = re.compile("|".join(FORMS.values()))
"""Repetitions are bounded wherever a form may begin anew inside of itself, so that no text takes long."""


class Secret(Detector):
    """Keys and tokens of well-known services, JSON web tokens and private keys, told by their form.

    Passwords and keys without a form of their own are not found.
    """

    def find(self, text: str) -> Iterable[Span]:
        """Look for all forms at once."""
        return (Span(*match.span()) for match in ANY.finditer(text))
