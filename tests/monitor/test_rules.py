import pytest

from sevenfold.errors import RecipeError
from sevenfold.monitor.checks import Finding
from sevenfold.monitor.checks.drift import Drift
from sevenfold.monitor.checks.errors import Errors
from sevenfold.monitor.rules import Rule
from sevenfold.monitor.section import MonitorSection
from sevenfold.schema import build


def section(**fields) -> MonitorSection:
    return build(MonitorSection, fields, "monitor")


def findings(*values):
    return [Finding(check="drift", verdict="ok", figures={"p_value": value}, reason="") for value in values]


def test_a_rule_is_one_line_or_five_keys():
    rule = Rule.model_validate("drift.p_value < 0.01 for 2 windows")
    assert rule == Rule(check="drift", figure="p_value", comparison="<", limit=0.01, windows=2)
    assert str(rule) == "drift.p_value < 0.01 for 2 windows"
    assert Rule.model_validate(str(rule)) == rule
    assert str(Rule(check="drift")) == "drift.alarm >= 1"


@pytest.mark.parametrize(
    ("values", "holds"),
    [((0.001, 0.002), True), ((0.001, 0.5), False), ((0.5, 0.001), False), ((0.001,), False), ((0.001, None), False)],
)
def test_it_must_hold_in_every_newest_window(values, holds):
    rule = Rule.model_validate("drift.p_value < 0.01 for 2 windows")
    assert rule.holds(findings(*values)) is holds
    assert rule.holds(findings(0.9, *values)) is (holds and len(values) > 1)


@pytest.mark.parametrize(("sign", "holds"), [("<", False), ("<=", True), (">", False), (">=", True)])
def test_the_limit_itself(sign, holds):
    assert Rule.model_validate(f"drift.p_value {sign} 0.5").holds(findings(0.5)) is holds


@pytest.mark.parametrize(
    "text",
    [
        "drift.p_value",
        "drift < 1",
        "__import__('os') < 1",
        "drift.p_value < 1 and 2 > 1",
        "a.b = 1",
        "a.b < 1 for x windows",
    ],
)
def test_what_is_no_rule_is_refused_with_an_example(text):
    with pytest.raises(RecipeError) as caught:
        section(rules=[text])
    assert f"{text!r} is not an alert rule" in str(caught.value)
    assert "drift.p_value < 0.01 for 2 windows" in str(caught.value)


def test_a_limit_that_is_no_number_is_refused():
    with pytest.raises(RecipeError, match="limit"):
        section(rules=["drift.p_value < abc"])
    with pytest.raises(RecipeError, match="finite"):
        section(rules=["drift.p_value < nan"])


def test_an_unknown_check_or_figure_has_a_suggestion():
    with pytest.raises(RecipeError) as caught:
        section(rules=["drfit.p_value < 0.01"])
    assert "did you mean: drift" in str(caught.value)
    with pytest.raises(RecipeError) as caught:
        section(rules=["drift.pvalue < 0.01"])
    assert "did you mean: p_value" in str(caught.value)
    assert "trigram_energy" in str(caught.value)


def test_a_rule_on_a_check_that_is_not_chosen_is_refused():
    with pytest.raises(RecipeError, match="'drift', which is not among the checks"):
        section(checks=["errors"], rules=["drift.p_value < 0.01"])


def test_every_named_figure_is_given():
    Rule(check="drift", figure="words_js_excess").verify([Drift(), Errors()])
