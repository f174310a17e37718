"""The audit of agreement."""

from __future__ import annotations

import pytest

from sevenfold.errors import DataError


def test_the_audit_names_disputed_rows(run, write_rows):
    rows = [{"text": f"t {n}", "label": "x", "ann": "x", "bob": "y" if n == 7 else "x", "eve": ""} for n in range(20)]
    found = run(source=write_rows(rows), audits=[{"agreement": ["ann", "bob", "eve"]}]).report["audits"][0]
    assert found["figures"]["percent"] == 0.95
    assert [line[2] for line in found["tables"][3]["lines"]] == ["t 7"]
    assert found["tables"][2]["lines"][2] == ["eve", 0, "undefined"]
    with pytest.raises(DataError, match="no column 'bobby'"):
        run(source=write_rows(rows), audits=[{"agreement": ["ann", "bobby"]}])
