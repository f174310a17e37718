"""A page in one file for people without the tool: they open it, judge, and send the file of results back."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

from sevenfold.evaluate.human.contest import hashed
from sevenfold.evaluate.human.desk import JudgeDesk, about
from sevenfold.page.server import source
from sevenfold.record import write_text

POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-NONCE'; "
    "style-src 'nonce-NONCE'; img-src data:; base-uri 'none'; form-action 'none'\">"
)
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Signs that could end the script element; they stay escaped."""


def write_form(desk: JudgeDesk, path: Path) -> None:
    """Write all of a desk's duels as one page that needs no server and asks nobody for anything.

    It holds the texts, which side each stands on, and nothing of the models.

    Args:
        desk: What is asked; where it has no annotator the page asks for a name.
        path: The file.

    Raises:
        MachineError: The file cannot be written.
    """
    rows = [desk.shown(place) for place in range(len(desk.origins))]
    name = hashed(desk.annotator, json.dumps(rows))
    page = source(desk.page, "form.js").replace("<!--POLICY-->", POLICY).replace("NONCE", secrets.token_urlsafe(16))
    form = {"id": name, "annotator": desk.annotator, "task": about(desk.asked), "rows": rows}
    held = "".join(UNSAFE.get(sign, sign) for sign in json.dumps(form))
    write_text(path, page.replace("<!--FORM-->", f'<script type="application/json" id="form">{held}</script>'))
