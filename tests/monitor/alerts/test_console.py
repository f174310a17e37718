from sevenfold.monitor.alerts.console import Console
from sevenfold.record import Entry
from tests.monitor.alerts.test_webhook import EVENT


def test_a_firing_rule_is_a_warning_and_its_end_a_note(tmp_path):
    entry = Entry(tmp_path)
    Console().tell(EVENT, entry)
    Console().tell(EVENT.model_copy(update={"state": "resolved"}), entry)
    assert entry.record.notes == [
        "warning: firing: drift.alarm >= 1 (می‌روم)",
        "resolved: drift.alarm >= 1 (می‌روم)",
    ]
