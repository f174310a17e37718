"""Take the picture of the labelling page: ``.venv/bin/python -m docs.images.make_labelling`` (needs chromium)."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from sevenfold.page.server import background
from sevenfold.prepare.labels.answers import Answers
from sevenfold.prepare.labels.page.desk import Desk
from sevenfold.prepare.labels.review import Asked, read_review
from tests.prepare.labels.made import write_review

PICTURE = Path(__file__).with_name("labelling.png")

with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    place = Path(folder)
    desk = Desk(read_review(write_review(place), Asked()), Answers(place / "answers.jsonl"), "ada")
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    with background(desk) as server:
        page = browser.new_page(viewport={"width": 960, "height": 540})
        page.goto(server.address)
        page.get_by_text("Row 1 of").first.wait_for()
        page.wait_for_timeout(4000)  # so that the pace is a person's
        page.keyboard.press("1")
        page.get_by_text("Row 2 of").first.wait_for()
        page.screenshot(path=str(PICTURE))
    browser.close()
