from __future__ import annotations

import json
import platform
import subprocess

import torch

from sevenfold.setup import snapshot


def test_a_snapshot_is_of_this_machine(tmp_path):
    taken = snapshot.take(tmp_path / "not" / "there" / "yet", "cpu")
    assert taken["python"] == platform.python_version()
    assert taken["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert taken["disk_free_bytes"] > 0
    assert taken["processor"]
    assert taken["gpu"] is None
    assert json.loads(json.dumps(taken)) == taken


def test_the_commit_of_the_users_folder(tmp_path):
    assert snapshot.git_state(tmp_path) is None
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "-C", tmp_path, "init", "-q"], check=True)
    (tmp_path / "recipe.yaml").write_text("name: a")
    subprocess.run(["git", "-C", tmp_path, "add", "."], check=True)
    subprocess.run(["git", "-C", tmp_path, *identity, "commit", "-qm", "first"], check=True)
    state = snapshot.git_state(tmp_path)
    assert state is not None
    assert len(state["commit"]) == 40
    assert state["changed"] is False
    (tmp_path / "recipe.yaml").write_text("name: b")
    assert snapshot.git_state(tmp_path)["changed"] is True


def test_processors_are_named(tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: A Fine Processor\n")
    assert snapshot.processor(tmp_path / "cpuinfo") == "A Fine Processor"
    assert snapshot.processor(tmp_path / "none")


def test_a_package_that_is_not_installed_has_no_version():
    assert list(snapshot.versions(("torch", "no-such-package"))) == ["torch"]
