from sevenfold.prepare.formats.squad import Squad
from sevenfold.prepare.sources.glossary import Glossary
from tests.prepare.conftest import read_all


def test_every_answer_stands_where_the_row_says():
    rows = [row.values for row in read_all(Glossary(locales=("de", "fi"), each=40, unanswerable=0.3))]
    assert len(rows) == 80
    empty = [row for row in rows if not row["answers"]["text"]]
    assert 10 < len(empty) < 40
    for row in rows:
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert row["context"][start : start + len(text)] == text
            assert row["context"][:start].endswith(f"{row['thing']} is ")
    assert all(f"{row['thing']} is " not in row["context"] for row in empty)
    assert Squad().read(empty[0]).reference() == "unanswerable"
