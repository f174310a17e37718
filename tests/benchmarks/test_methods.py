"""The benchmark of methods: tables from given figures, exact counts of claims, every contestant on a tiny model."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from itertools import chain
from pathlib import Path

import pytest
import yaml

from sevenfold.console import Console
from sevenfold.record import Entry
from sevenfold.tune.batches import Batches
from sevenfold.tune.methods import METHODS
from sevenfold.tune.section import TuneSection
from tests.tune.several import made

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import methods  # noqa: E402 (a script's folder, which is on the path when it runs)
from methods_parts import claims, decisions, measured, quality, shapes, speed, tables  # noqa: E402

PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


def taken(name: str, **other) -> dict:
    """What a contestant's process gives."""
    figures = {"seconds": 4.0, "steps": 2, "tokens": [900, 1000, 1000], "peak_bytes": 4_000_000_000, "share": 0.5}
    more = {"trained": 100, "optimizer_bytes": 800, "disk_bytes": 400, "idle_bytes": 300_000_000, "rows": "same"}
    return {"name": name, "precision": "bfloat16", **figures, **more, **other}


def kept_speed(*found: dict, references: list[dict] | None = None) -> dict:
    """Figures of some methods beside runs of ``full``, as they are kept."""
    fulls = references or [taken("full")]
    records = [{"round": 0, "beside": len(fulls) - 1, "found": one} for one in found]
    asked = {"steps": 3, "warm": 1}
    return {"speed": {"asked": asked, "references": fulls, "records": records, "machine": "a machine, a day"}}


class TestSpeed:
    def test_ratios_are_to_the_full_that_ran_beside(self) -> None:
        kept = kept_speed(
            taken("lora", seconds=2.0, peak_bytes=1_000_000_000), references=[taken("full", seconds=99.0)]
        )
        kept["speed"]["references"].append(taken("full", seconds=5.0))
        kept["speed"]["records"][0]["beside"] = 1
        row = speed.measured(kept)["lora"]
        assert (row["faster"], row["memory"]) == (2.5, 0.25)
        assert row["tokens_per_second"] == 1000
        assert "| `lora` | 2.50 | 1,000 | 1 GB | 0.25 | 100 | 50 % | 400 B | 800 B |" in tables.texts(kept)["speed"]
        assert "its slowest run took 19.80 times its fastest; a machine, a day" in tables.texts(kept)["speed"]

    def test_rounds_give_the_median(self) -> None:
        found = [taken("lora", seconds=second) for second in (1.0, 2.0, 4.0)]
        assert speed.measured(kept_speed(*found))["lora"]["faster"] == 2.0

    def test_a_failure_is_told_and_does_not_hide_a_later_success(self) -> None:
        kept = kept_speed({"name": "vera", "failure": "out of | memory"})
        assert "| `vera` | failed: out of / memory |" in tables.texts(kept)["speed"]
        assert "vera" not in tables.texts(kept)["figures"]
        kept["speed"]["records"].append({"round": 1, "beside": 0, "found": taken("vera", seconds=8.0)})
        assert speed.measured(kept)["vera"]["faster"] == 0.5

    def test_other_rows_are_refused(self) -> None:
        with pytest.raises(SystemExit, match="lora read other rows than full"):
            methods.same_work(taken("lora", rows="others"), taken("full"))

    def test_what_is_done_is_not_measured_again(self, monkeypatch, tmp_path) -> None:
        asked = []

        def one(every, name, wanted):
            asked.append(name)
            return taken(name) if name != "mezo" or asked.count("mezo") > 1 else {"name": name, "failure": "stopped"}

        monkeypatch.setattr(methods, "one", one)
        words = ["speed", "--only", "lora", "mezo", "--steps", "3"]
        for _ in range(3):
            wanted = methods.arguments().parse_args(words)
            methods.speed(wanted, methods.Kept(tmp_path / "kept.json"))
        assert asked == ["full", "lora", "mezo", "full", "mezo"]
        rows = speed.measured(methods.Kept(tmp_path / "kept.json").all)
        assert set(rows) == {"full", "lora", "mezo"}

    def test_figures_of_other_steps_are_not_mixed_and_not_lost(self, tmp_path) -> None:
        kept = methods.Kept(tmp_path / "kept.json")
        kept.put("speed", kept_speed(taken("lora"))["speed"])
        wanted = methods.arguments().parse_args(["speed", "--steps", "5"])
        with pytest.raises(SystemExit, match=r"3 steps, 1 of them not counted.*--fresh"):
            methods.speed(wanted, kept)
        assert methods.Kept(kept.path).all["speed"]["records"]

    def test_groups_are_small_and_hold_all(self) -> None:
        names = [str(number) for number in range(32)]
        found = methods.groups(names)
        assert sorted(chain.from_iterable(found)) == sorted(names)
        assert max(map(len, found)) <= methods.GROUP
        assert max(map(len, found)) - min(map(len, found)) <= 1


def metric(tuned: float, base: float, better: str) -> dict:
    gained = tuned - base
    interval = [gained - 0.1, gained + 0.1]
    figures = {"tuned": tuned, "difference": gained, "interval": interval, "confidence": 0.95, "better": better}
    return {**figures, "direction": "lower", "rows": 64}


def variant(name: str, loss: float, lost: float, seconds: float, **other) -> dict:
    """One variant of a comparison that is done."""
    general = {"verdict": "kept", "comparison": {"difference": lost, "interval": [lost - 0.01, lost + 0.01]}}
    costs = {"seconds": seconds, "peak_memory_bytes": 2e9, "trainable_parameters": 10, "share": 0.01, "size_bytes": 40}
    found = {"validation_loss": loss, "rows": 64, "metrics": {"loss": metric(loss, 3.5, "yes")}, "forgetting": general}
    more = {"chosen": {"tune.learning_rate": 0.001}, "edges": {}, "failure": None, "curve": {}, "plan": {"big": 1}}
    return {"name": name, "state": "done", **costs, **found, **more, **other}


@pytest.fixture
def told() -> dict:
    """A comparison of which three variants are done, one failed and one waits."""
    edges = {"tune.learning_rate": "highest"}
    done = [
        variant("hft", 3.0, 0.1, 7.0, edges=edges),
        variant("full", 2.9, 0.3, 10.0),
        variant("lora", 2.95, 0.2, 4.0),
    ]
    failed = {"name": "dora", "state": "failed", "failure": {"problem": "no memory"}, "chosen": {}, "edges": {}}
    bases = [{"name": "base", "validation_loss": 3.6, "metrics": {"loss": 3.5}}]
    verdict = {"word": "Take lora", "summary": "It is best.", "take": "lora", "best": "full", "level": ["lora"]}
    whole = {"name": "compare-methods", "recipe": "demo.yaml", "judge": "loss", "cost": "time", "pairs": ["many"]}
    return {**whole, "bases": bases, "verdict": verdict, "variants": [*done, failed]}


class TestQuality:
    def test_the_tables_hold_costs_gains_and_what_was_forgotten(self, told) -> None:
        text = quality.table(quality.taken(told, "a machine"))
        assert "| `hft` | 0.001 (highest tried) | 7.0 s | 0.70 | 2 GB | 1.00 | 10 | 1 % | 40 B |" in text
        gained = "**3 (−0.5: −0.6 to −0.4)**"
        assert f"| `hft` | 3 | {gained} | +0.1 (+0.09 to +0.11), kept |" in text
        assert "| base | 3.6 | 3.5 | |" in text
        assert "Failed: dora: no memory" in text
        assert "**Take lora.** It is best." in text
        assert text.endswith("a machine")

    def test_what_is_kept_is_small(self, told) -> None:
        found = quality.taken(told, "")
        assert "pairs" not in found
        assert "plan" not in found["variants"][0]
        assert told["variants"][0]["metrics"]["loss"]["rows"] == 64, "what was read is not changed"

    def test_a_comparison_that_goes_on_has_no_ratio_before_full_is_done(self, told) -> None:
        told["variants"][1] = {"name": "full", "state": "waiting", "failure": None, "chosen": {}, "edges": {}}
        text = quality.table(quality.taken(told, ""))
        assert "| 7.0 s | – | 2 GB | – |" in text
        assert "Not trained yet: full." in text
        assert not list(measured.of_comparison(told, "a task"))
        assert not list(decisions.by_quality({"en": told}))

    def test_nothing_done_is_said(self, told) -> None:
        told["variants"] = told["variants"][3:]
        assert quality.table(quality.taken(told, "")) == "No variant is done yet."

    def test_claims_about_half_fine_tuning(self, told) -> None:
        time, forgetting = measured.of_comparison(quality.taken(told, ""), "a task")
        assert (time.theirs, time.ours) == ("about 30 %", "30 %")
        assert forgetting.ours == "+0.1 (+0.09 to +0.11), kept; `full`: +0.3 (+0.29 to +0.31), kept"

    def test_decisions_follow_the_verdict_and_what_was_forgotten(self, told) -> None:
        best, careful = decisions.by_quality({"en": quality.taken(told, "")})
        assert best[1:] == ("`lora`", "It is best.")
        assert careful[1] == "`lora`", "of full and lora, which are level, it forgot less"


class TestClaims:
    def test_lora_on_the_shape_of_gpt_3(self) -> None:
        network = shapes.gpt3()
        whole = claims.parameters(network)
        # Embeddings, positions, 96 blocks of four square weights and two of the feed-forward part, biases and norms.
        width, inner = 12288, 4 * 12288
        block = 4 * (width * width + width) + 2 * width * inner + inner + width + 4 * width
        # OPT keeps two positions more than it uses.
        assert whole == 50257 * width + 2050 * width + 96 * block + 2 * width
        trained = claims.trainable(network, "lora", rank=4, targets=["q_proj", "v_proj"])
        assert trained == 96 * 2 * 4 * (width + width) == 18_874_368
        assert 9_000 < whole / trained < 10_000
        assert next(claims.lora()).ours == "9,251 times"

    @pytest.mark.parametrize(("double", "bits"), [(False, 4 + 32 / 64), (True, 4 + 8 / 64 + 32 / (64 * 256))])
    def test_bits_of_a_weight_in_nf4(self, tiny_model, double, bits) -> None:
        found, weights = claims.nf4_bits(tiny_model, double)
        assert weights == 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 64 * 128)
        # Small layers: groups that are not full, and a mean of 4 bytes for each of the 14 layers.
        assert found == pytest.approx(bits, abs=0.03)
        assert found >= bits

    def test_optimisers_of_seven_billion_parameters(self) -> None:
        assert claims.optimizer_bytes("full", {}) == 8 * claims.parameters(shapes.llama_7b()) == 8 * 6_738_415_616
        assert claims.optimizer_bytes("lomo", {}) == claims.optimizer_bytes("mezo", {}) == 0
        side, inner, rank = 4096, 11008, 1024
        block = 4 * (side * rank + 2 * side * rank) + 3 * (side * rank + 2 * inner * rank)
        plain = 2 * (2 * 32000 * side + (2 * 32 + 1) * side)
        assert claims.optimizer_bytes("galore", {"rank": rank}) == 4 * (32 * block + plain)

    def test_lora_fa_moves_half_of_square_layers_and_keeps_less(self, tiny_model) -> None:
        square, _ = claims.lora_fa()
        assert square.ours == "0.500"
        ids = list(range(10, 74))
        assert claims.kept_bytes(tiny_model, "lora_fa", ids) < claims.kept_bytes(tiny_model, "lora", ids)

    def test_counts_of_small_methods(self) -> None:
        found = {claim.source.partition(",")[0]: claim for claim in claims.small()}
        assert found["BitFit"].ours == "0.082 %"
        assert found["(IA)³"].ours == "0.0098 %"
        assert found["prompt tuning"].ours == "20,480"
        assert found["prefix tuning"].ours == "0.14 %"
        assert next(claims.vera()).ours == f"{32 * (5 * 4096 + 2 * 11008 + 7 * 256):,}"
        assert [claim.ours for claim in claims.dora()] == ["0.83 %", "0.84 %"]

    def test_measured_ones_appear_with_their_figures(self) -> None:
        kept = kept_speed(taken("mezo", peak_bytes=1_000_000_000))
        assert [claim.ours for claim in measured.claims(kept)] == ["4.0 times"]
        kept = kept_speed(taken("mezo", peak_bytes=1_000_000_000), taken("reading", peak_bytes=800_000_000))
        assert next(measured.claims(kept)).ours == "1.250 times; 1.400 times without the interpreter's"
        kept = kept_speed(taken("lora", seconds=2.0), taken("dora", seconds=2.2, peak_bytes=4_400_000_000))
        assert "1.10 times the time, 1.10 times the memory" in tables.texts(kept)["claims"]


class TestWriting:
    def test_marks_stay_and_nothing_beside_them_changes(self) -> None:
        text = "before\n<!-- a:begin -->\nold\n<!-- a:end -->\nafter"
        once = tables.between(text, "a", "new")
        assert once == "before\n<!-- a:begin -->\n\nnew\n\n<!-- a:end -->\nafter"
        assert tables.between(once, "a", "new") == once
        assert tables.between(text, "b", "new") == text

    def test_decisions_stand_only_where_their_figures_are(self) -> None:
        assert "decisions" not in tables.texts({})
        text = tables.texts(kept_speed(taken("lora", seconds=2.0)))["decisions"]
        assert "`lora`" in text
        assert "dora" not in text

    def test_every_table_has_its_place(self, told) -> None:
        found = kept_speed(taken("lora"))
        found |= {"quality": {name: quality.taken(told, "") for name in ("en", "fa")}}
        documents = (ROOT / "benchmarks" / "methods.md").read_text(encoding="utf-8") + PAGE
        for mark in tables.texts(found):
            assert documents.count(f"<!-- {mark}:begin -->") == documents.count(f"<!-- {mark}:end -->") == 1


class TestContestants:
    @pytest.fixture(scope="class")
    def adapters(self, tiny_model, tmp_path_factory) -> list[str]:
        folder = tmp_path_factory.mktemp("adapters")
        return [str(made.adapter(tiny_model, folder / str(seed), seed)) for seed in (1, 2)]

    @pytest.fixture
    def folder(self, tmp_path, dataset, tiny_model) -> Path:
        (tmp_path / "2-load").symlink_to(tiny_model.folder)
        return tmp_path

    @pytest.mark.parametrize("name", methods.contestants(["one", "two"]))
    def test_each_reads_the_same_rows(self, name, folder, dataset, adapters, environment) -> None:
        from methods_parts import one

        section = methods.contestants(adapters)[name]
        if "first 2" in name:
            section = {"method": {"layers": {"first": 1, "last": 1}}}
        entry = Entry(folder / "4-tune", Console(quiet=True))
        entry.folder.mkdir()
        found = one.main(folder, ["2", "1", name, json.dumps(section)], environment, entry)
        origins = [row.origin for row in dataset.rows("train")]
        order = Batches(len(origins), 8, environment.seed)
        read = "\n".join(origins[row] for step in range(2) for row in order.at(step))
        assert found["rows"] == hashlib.sha256(read.encode()).hexdigest()[:16]
        assert len(found["tokens"]) == 2
        assert found["steps"] == 1
        assert found["seconds"] > 0
        assert (found["trained"] > 0) == (found["disk_bytes"] > 0) == (name != "reading")
        if name == "full":
            assert found["trained"] * 8 <= found["optimizer_bytes"] < found["trained"] * 8 + 4096
        if name in ("lomo", "mezo"):
            assert found["optimizer_bytes"] == 0

    def test_no_method_is_left_out(self) -> None:
        found = methods.contestants([])
        assert {name for name in METHODS.names() if METHODS.find(name).trains} <= set(found)


class TestPage:
    @pytest.mark.parametrize("name", METHODS.names())
    def test_each_method_has_a_paragraph_with_a_recipe(self, name) -> None:
        paragraph = next(part for part in PAGE.split("\n\n") if part.startswith(f"**`{name}`.**"))
        assert re.search(rf"`tune\.method: (\{{)?{name}\b", paragraph.replace("\n", " "))

    @pytest.mark.parametrize("line", re.findall(r"`tune\.method:\s([^`]+)`", PAGE))
    def test_each_recipe_line_can_be_read(self, line) -> None:
        TuneSection.model_validate({"method": yaml.safe_load(line), "clip": None})
