import json
import subprocess
import sys

import pytest

from sevenfold.errors import RecipeError
from sevenfold.monitor.checks import CHECKS
from sevenfold.monitor.section import MonitorSection
from sevenfold.schema import build


def section(**fields) -> MonitorSection:
    return build(MonitorSection, fields, "monitor")


def test_the_defaults_look_for_everything_and_alert_on_every_alarm():
    defaults = section()
    assert [check.name for check in defaults.checks] == CHECKS.names()
    assert [str(rule) for rule in defaults.active_rules] == [f"{name}.alarm >= 1" for name in CHECKS.names()]
    assert section(rules=[]).active_rules == []


def test_a_section_written_out_in_full_reads_back_the_same():
    given = section(
        checks=["drift", {"latency": 5}], rules=["latency.p95 > 3 for 2 windows"], alerts=[{"webhook": "HOOK"}]
    )
    assert given.checks[1].seconds == 5
    assert section(**json.loads(given.model_dump_json())) == given


def test_a_check_twice_is_refused():
    with pytest.raises(RecipeError, match="'errors' stands twice"):
        section(checks=["errors", {"errors": {"share": 0.1}}])


def test_an_unknown_check_or_channel_has_a_suggestion():
    with pytest.raises(RecipeError) as caught:
        section(checks=["latancy"])
    assert "did you mean: latency" in str(caught.value)
    with pytest.raises(RecipeError) as caught:
        section(alerts=["web_hook"])
    assert "did you mean: webhook" in str(caught.value)


def test_a_users_own_check_joins_by_its_path(tmp_path):
    path = tmp_path / "polite.py"
    path.write_text(
        "from sevenfold.monitor.checks import Check\n"
        "class Polite(Check):\n"
        "    gives = ('share',)\n"
        "    def judge(self, window, baseline):\n"
        "        return self.finding('ok', 'fine', share=1.0)\n"
    )
    given = section(checks=[{"file": str(path)}], rules=["polite.share < 0.5"])
    assert given.checks[0].name == "polite"


def test_the_section_has_a_schema_for_editors():
    text = json.dumps(MonitorSection.model_json_schema())
    assert "trigram_energy" in text
    assert "SEVENFOLD_WEBHOOK" in text


def test_parsing_a_section_loads_nothing_heavy():
    code = (
        "import sys; from sevenfold.monitor.section import MonitorSection as S; S(); "
        "print([m for m in ('numpy', 'scipy', 'torch', 'pyarrow', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
