"""Names are files; the registry lists them without importing and imports the one that is used."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from sevenfold.errors import RecipeError
from sevenfold.tune.methods import METHODS
from sevenfold.tune.schedules import SCHEDULES, Schedule


def test_names_are_the_files_of_the_folder() -> None:
    assert {"full", "lora"} <= set(METHODS.names())
    assert METHODS.name_of(METHODS.find("lora")) == "lora"


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(RecipeError, match="no method 'loar'") as caught:
        METHODS.find("loar")
    assert caught.value.suggestion == "lora"


def test_listing_imports_nothing() -> None:
    code = (
        "import sys; from sevenfold.tune.methods import METHODS; METHODS.names(); "
        "assert 'sevenfold.tune.methods.lora' not in sys.modules; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_users_file_joins_by_its_path(tmp_path) -> None:
    path = tmp_path / "steps.py"
    path.write_text(
        textwrap.dedent("""
        from sevenfold.tune.schedules import Schedule

        class Half(Schedule):
            def after_warmup(self, share: float) -> float:
                return 0.5
        """)
    )
    kind = SCHEDULES.from_file(path)
    assert issubclass(kind, Schedule)
    assert kind(warmup=0.0).factor(3, 10) == 0.5


def test_a_users_file_without_the_class_says_what_is_expected(tmp_path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("")
    with pytest.raises(RecipeError, match=r"defines 0 classes that derive from Schedule"):
        SCHEDULES.from_file(path)
    with pytest.raises(RecipeError, match="there is no file"):
        SCHEDULES.from_file(tmp_path / "missing.py")


def test_another_package_joins_through_an_entry_point(monkeypatch) -> None:
    import importlib.metadata

    point = importlib.metadata.EntryPoint("flat", "sevenfold.tune.schedules.constant:Constant", SCHEDULES.package)
    monkeypatch.setattr(SCHEDULES, "entry_points", {"flat": point})
    assert "flat" in SCHEDULES.names()
    assert SCHEDULES.find("flat").__name__ == "Constant"
