"""Take the picture of the judging page: ``.venv/bin/python -m docs.images.make_judging`` (needs chromium)."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from sevenfold.evaluate.human.desk import Asked, JudgeDesk
from sevenfold.evaluate.human.judgements import Judgements
from sevenfold.page.server import background
from tests.evaluate.human.made import contest_of, row

PICTURE = Path(__file__).with_name("judging.png")
ASKED = Asked("Which reply would you send?", ("fluency", "correctness"))
PROMPT = "سفارش من هنوز نرسیده است. چه کار کنم؟"
ANSWERS = (
    "سفارش سفارش شما سفارش است. سفارش شما را سفارش کنید.",
    "پوزش می‌خواهیم. شمارهٔ سفارش خود را بفرستید تا همین امروز از پست بپرسیم که بسته کجاست.",
)

with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
    shown = row(0, *ANSWERS)
    shown["prompt"] = [{"role": "user", "content": PROMPT}]
    contest = contest_of(Path(folder), [shown])
    desk = JudgeDesk(contest, Judgements(Path(folder) / "judgements.jsonl"), "ada", ASKED)
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
    with background(desk) as server:
        page = browser.new_page(viewport={"width": 960, "height": 620})
        page.goto(server.address)
        page.get_by_text("Pair 1 of").first.wait_for()
        page.keyboard.press("m")
        page.keyboard.type("42")
        page.screenshot(path=str(PICTURE))
    browser.close()
