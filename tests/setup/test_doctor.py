from __future__ import annotations

from pathlib import Path

import pytest

from sevenfold.setup import doctor


@pytest.fixture
def installed(monkeypatch):
    """Pretend that packages have these versions; the rest keep their own."""

    def pretend(**versions: str | None) -> None:
        real = doctor.version
        monkeypatch.setattr(doctor, "version", lambda name: versions.get(name, real(name)))

    return pretend


def test_this_machine_can_work(tmp_path, monkeypatch):
    monkeypatch.setenv("SEVENFOLD_CACHE", str(tmp_path / "cache"))
    found = {finding.what: finding for finding in doctor.diagnose(tmp_path / "runs")}
    assert {"python", "torch", "accelerator", "processor", "memory", "disk", "runs", "cache"} <= set(found)
    for what in ("python", "torch", "runs", "cache"):
        assert found[what].state == "ok", found[what]
    assert all(finding.mend for finding in found.values() if finding.state != "ok")
    assert not (tmp_path / "runs").exists(), "looking writes nothing"


def test_every_optional_package_is_in_its_extra():
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for package, (extra, _) in doctor.EXTRAS.items():
        named = [requirement.split(">=")[0] for requirement in project["optional-dependencies"][extra]]
        assert package in named


def test_a_missing_part_names_its_extra(monkeypatch):
    monkeypatch.setitem(doctor.EXTRAS, "no-such-package", ("deploy", "testing"))
    finding = doctor.optional("no-such-package")
    assert (finding.state, finding.mend) == ("warn", "pip install 'sevenfold[deploy]'")


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "runs").write_text("a file")
    finding = doctor.writable("runs", tmp_path / "runs")
    assert finding.state == "bad"
    assert "is not a folder" in finding.detail
    assert doctor.writable("cache", Path("/proc/none")).state == "bad"


@pytest.mark.parametrize(
    ("torch", "torchvision", "state"),
    [("2.13.0+cpu", "0.28.0", "bad"), ("2.13.0+cpu", "0.28.0+cpu", "ok"), ("2.13.0", "0.28.0", "ok")],
)
def test_a_torchvision_of_another_build(installed, torch, torchvision, state):
    installed(torch=torch, torchvision=torchvision)
    assert doctor.torchvision().state == state


def test_little_memory_is_a_warning(monkeypatch):
    monkeypatch.setattr(doctor.limits, "available_memory", lambda: 2e9)
    assert doctor.memory().state == "warn"
    assert "2.0 of" in doctor.memory().detail
