"""One folder for all documents: the tutorial's rows, recipe and run are what the other pages speak of."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.docs import blocks
from tests.docs.workplace import Workplace

TUTORIAL = blocks.named("docs/tutorial.md")


@pytest.fixture(scope="session")
def workplace(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The tutorial's folder with its run done, and the files that other pages write."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    place = Workplace(tmp_path_factory.mktemp("documents"), tiny_weights)
    for path in (TUTORIAL, *(path for path in blocks.DOCUMENTS if path.name not in ("tutorial.md", "CONTRIBUTING.md"))):
        for block in filter(lambda block: block.is_file, blocks.read(path)):
            place.write(block)
    shutil.copytree(blocks.ROOT / "recipes", place.folder / "recipes")
    assert place.run("python make_rows.py").code == 0
    assert place.run("sevenfold run tickets.yaml").code == 0
    return place


@pytest.fixture(scope="session")
def service(workplace: Workplace):
    """``sevenfold serve tickets`` as a process of its own on a free port; gives its address."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    command = [sys.executable, "-c", "from sevenfold.cli import main; main()", "serve", "tickets", "--port", str(port)]
    process = subprocess.Popen(command, cwd=workplace.folder, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    wait_for(f"{address}/health", process)
    yield address
    process.terminate()
    assert process.wait(20) == 0


def wait_for(url: str, process: subprocess.Popen) -> None:
    """Wait until a server answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        assert process.poll() is None, process.stderr.read()
        try:
            direct.open(url, timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")
