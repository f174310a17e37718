"""Every command and every Python block of the documents is run, or stands here with the reason why it is not."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.docs import blocks
from tests.docs.blocks import Block

ADDRESS = "http://127.0.0.1:8000"
NOT_RUN = {
    "make": "makes environments or takes minutes; its target is looked up with `make -n`",
    "python3 -m venv": "makes an environment",
    "pip install": "installs packages",
    ".venv/bin/": "installs packages, or is a tool of the checks",
    "git": "changes a repository",
    "python recipes/dirty/": "run by tests/test_dirty.py",
    "sevenfold prepare recipes/dirty/": "takes a minute; run by tests/test_dirty.py",
    "sevenfold evaluate recipes/better-or-not/": "takes minutes; run by tests/evaluate/test_better_or_not.py",
    "export": "sets what a recipe reads from the environment",
    "sevenfold serve": "goes on until it is stopped; started for real by the fixture `service`",
    "sevenfold label": "goes on until it is stopped, or reads answers; run in tests/commands/test_labelling.py",
    "sevenfold judge": "goes on until it is stopped, or reads judgements; run in tests/commands/test_judging.py",
    "curl": "needs the server; run against the fixture `service`",
}
PAGES = [path for path in blocks.DOCUMENTS if any(block.language in ("sh", "python") for block in blocks.read(path))]


def reason(command: str) -> str | None:
    """Why a command is not run as it stands."""
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


def steps(path: Path) -> list[tuple[Block, Block | None]]:
    """The shell blocks of a page, each with the block of what it must print, if one stands below it."""
    found = blocks.read(path)
    below = [*found[1:], None]
    return [
        (block, expected if expected and expected.exit_code is not None else None)
        for block, expected in zip(found, below, strict=True)
        if block.language == "sh"
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_commands_of_a_page_do_what_it_says(page, workplace):
    for block, expected in steps(page):
        for command in block.commands:
            must_fail = expected is not None
            if command == "python make_rows.py" or (reason(command) and not must_fail):
                continue
            outcome = workplace.run(command)
            code = expected.exit_code if expected else 0
            assert outcome.code == code, f"{block.place}: {command}\n{outcome.err[-2000:]}"
            for line in expected.text.splitlines() if expected else ():
                assert line in outcome.err, f"{expected.place}: {command}\n{outcome.err}"
            if "--json" in command:
                json.loads(outcome.out)


def every_command():
    """All commands of all documents with their places."""
    for path in blocks.DOCUMENTS:
        for block in blocks.read(path):
            if block.language == "sh":
                yield from (pytest.param(command, id=f"{block.place} {command}"[:70]) for command in block.commands)


@pytest.mark.parametrize("command", every_command())
def test_a_command_names_what_exists(command, workplace):
    words = shlex.split(command, comments=True)
    if words[0] == "make":
        listed = subprocess.run(["make", "-n", words[1]], cwd=blocks.ROOT, capture_output=True, text=True)
        assert listed.returncode == 0, listed.stderr
    elif words[0] == "sevenfold":
        outcome = workplace.run(f"sevenfold {words[1]} --help")
        assert outcome.code == 0, outcome.err
        for option in (word for word in words if word.startswith("--")):
            assert option in outcome.out, f"{words[1]} has no {option}"
    elif words[0] == "python":
        assert (workplace.folder / words[1]).is_file()
    else:
        assert reason(command)


def plain_python(path: Path) -> list[Block]:
    """The Python blocks of a page that are run as they stand."""
    return [block for block in blocks.read(path) if block.language == "python" and not block.is_file]


@pytest.mark.parametrize("block", [b for path in PAGES for b in plain_python(path)], ids=lambda block: block.place)
def test_python_blocks_run(block, workplace, request):
    if "openai" in block.text:
        address = request.getfixturevalue("service")
        model = re.search(r'model="([^"]+)"', block.text)[1]
        workplace.execute(block, (ADDRESS, address), (f'model="{model}"', 'model="tickets", max_completion_tokens=8'))
    else:
        assert "held-out rows" in workplace.execute(block)


def curls():
    """The curl commands of all documents."""
    return [p for p in every_command() if p.values[0].startswith("curl")]


@pytest.mark.parametrize("command", curls())
def test_curl_commands_get_an_answer(command, service):
    words = shlex.split(command.replace(ADDRESS, service))
    done = subprocess.run([*words, "--silent", "--fail-with-body", "--noproxy", "*"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in json.loads(done.stdout)


def test_the_json_page_names_every_key(workplace):
    page = blocks.named("docs/json.md").read_text(encoding="utf-8") + blocks.named("docs/runs.md").read_text("utf-8")
    named = set(re.findall(r"`(\w+)`", page))
    run = json.loads(workplace.run("sevenfold run tickets.yaml --json").out)
    comparison = next(iter(run["stages"]["evaluate"]["metrics"].values()))
    record = json.loads(workplace.run("sevenfold show tickets --json").out)["stages"]["tune"]
    error = json.loads(workplace.run("sevenfold show tikets --json").out)
    plan = json.loads(workplace.run("sevenfold plan tickets.yaml --json").out)
    preview = json.loads(workplace.run("sevenfold preview tickets.yaml --json").out)["rows"][0]
    finding = json.loads(workplace.run("sevenfold doctor --json").out)["findings"][0]
    for found in (run, run["proofs"][0], comparison, record, error, plan, preview, finding):
        assert set(found) <= named, set(found) - named


def test_what_is_missing_from_the_list_is_noticed():
    assert reason("sevenfold run tickets.yaml") is None
    assert reason("make demo")
