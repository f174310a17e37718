"""Made cases of answers from passages, of which it is known what is supported, relevant, complete and used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A question with two passages that answer it.

    ``first`` and ``second`` are sentences of an answer in other words, each from its passage; ``wrong`` contradicts
    the first passage, ``invented`` stands in neither.
    """

    question: str
    passages: tuple[str, str]
    first: str
    second: str
    wrong: str
    invented: str


TOPICS = (
    Topic(
        "When was the lighthouse of Arle built and how tall is it?",
        (
            "The lighthouse of Arle was built in 1871 by the engineer Mara Holm. Its lamp burned whale oil at first.",
            "With 43 metres the lighthouse is the tallest on the coast. A stair of 212 steps leads to the gallery.",
        ),
        "The engineer Mara Holm built the lighthouse in 1871.",
        "It is 43 metres tall, the tallest of the coast.",
        "The lighthouse was built in 1921 by Mara Holm.",
        "Visitors pay six crowns at the harbour office.",
    ),
    Topic(
        "How do I return a lamp, and when do I get my money back?",
        (
            "Lamps can be returned within 30 days. Send the lamp in its box to the warehouse in Lund with the receipt.",
            "Refunds are paid to the card that was used within five working days after the parcel arrives.",
        ),
        "Send the lamp in its box with the receipt to the warehouse in Lund within 30 days.",
        "The refund is on your card five working days after the parcel arrives.",
        "Lamps can be returned within 90 days.",
        "Glass shades are replaced by the maker for free.",
    ),
    Topic(
        "What do otters eat and where do they sleep?",
        (
            "Otters eat mostly fish, and also crabs and frogs. An adult needs about a kilogram of food each day.",
            "They sleep in dens in the river bank, whose entrance lies under water. Sea otters sleep floating.",
        ),
        "Otters mostly eat fish, crabs and frogs.",
        "They sleep in dens in river banks with an entrance under water.",
        "Otters eat mostly grass and berries.",
        "Their fur was traded in Siberia for centuries.",
    ),
    Topic(
        "Which memory does the board Quill-2 take, and how is it powered?",
        (
            "The Quill-2 takes two modules of DDR4 memory, up to 32 GB in all. Faster modules run at 2666 MHz.",
            "Power comes over USB-C with 20 volts, or from the barrel connector with 12 volts.",
        ),
        "It takes two DDR4 modules of up to 32 GB in all.",
        "Power comes from USB-C with 20 volts or the barrel connector with 12 volts.",
        "It takes two modules of DDR5 memory, up to 64 GB.",
        "A fan kit is sold apart for warm rooms.",
    ),
    Topic(
        "Who may use the reading room, and when is it open?",
        (
            "Members of the society and students with a card may use the reading room. Guests need a letter.",
            "The reading room opens at nine and closes at eight; on Saturdays it closes at one. It is shut in August.",
        ),
        "Members, and students who have a card, may use the room.",
        "It opens at nine and closes at eight, on Saturdays at one.",
        "Only professors may use the reading room.",
        "The chairs were carved by a pupil of the founder.",
    ),
    Topic(
        "کتابخانه مرکزی شیراز کی باز می‌شود و چند جلد کتاب دارد؟",
        (
            "کتابخانه مرکزی شیراز هر روز ساعت ۸ صبح باز می‌شود و ساعت ۲۰ بسته می‌شود. روزهای جمعه تعطیل است.",
            "این مجموعه ۱۲۰ هزار جلد کتاب و چهار هزار نسخه خطی نگهداری می‌کند.",
        ),
        "کتابخانه ساعت ۸ صبح باز می‌شود.",
        "در آن ۱۲۰ هزار جلد کتاب نگهداری می‌شود.",
        "کتابخانه ساعت ۱۱ صبح باز می‌شود.",
        "معمار ساختمان در ایتالیا درس خوانده بود.",
    ),
    Topic(
        "برای پختن آش رشته چه لازم است و چقدر باید بپزد؟",
        (
            "برای آش رشته نخود، لوبیا، عدس، سبزی، رشته و کشک لازم است. حبوبات را از شب پیش خیس می‌کنند.",
            "آش باید دو ساعت روی شعله ملایم بپزد و رشته در بیست دقیقه آخر اضافه می‌شود.",
        ),
        "نخود، لوبیا، عدس، سبزی، رشته و کشک لازم است.",
        "آش دو ساعت روی شعله ملایم می‌پزد.",
        "برای آش رشته گوشت گوسفند و برنج لازم است.",
        "رستوران‌های قدیمی اصفهان آن را با ماهی می‌فروشند.",
    ),
    Topic(
        "قطار تهران به مشهد چند ساعت در راه است و بلیت آن چند است؟",
        (
            "قطار شبانه تهران به مشهد ۱۱ ساعت در راه است و در نیشابور توقف می‌کند. حرکت آن ساعت ۱۹ است.",
            "بلیت کوپه چهار نفره ۴۵۰ هزار تومان و بلیت صندلی ۲۸۰ هزار تومان فروخته می‌شود.",
        ),
        "قطار شبانه ۱۱ ساعت در راه است.",
        "بلیت کوپه ۴۵۰ هزار تومان و صندلی ۲۸۰ هزار تومان است.",
        "قطار شبانه ۷ ساعت در راه است.",
        "مسافران در واگن رستوران شام رایگان می‌گیرند.",
    ),
)


def pairs(every: int = 1) -> dict[str, list[tuple[tuple[str, str, str], tuple[str, str, str]]]]:
    """For each metric, pairs of a better and a worse case, of all topics or of some: question, context, answer."""
    found: dict[str, list[tuple[tuple[str, str, str], tuple[str, str, str]]]] = {}
    for number, one in enumerate(TOPICS):
        if number % every:
            continue
        other = TOPICS[(number + 1) % 5] if number < 5 else TOPICS[5 + (number - 4) % 3]
        both, strange = "\n\n".join(one.passages), "\n\n".join(other.passages)
        whole, mixed = f"{one.first} {one.second}", "\n\n".join((one.passages[0], other.passages[1]))
        case = (one.question, both, whole)
        for name, better, worse in (
            ("factuality", case, (one.question, both, f"{one.wrong} {one.second}")),
            ("factuality", case, (one.question, both, f"{one.first} {one.invented}")),
            ("factuality", (one.question, both, one.first), (one.question, both, other.first)),
            ("context_relevance", case, (one.question, mixed, whole)),
            ("context_relevance", case, (one.question, strange, whole)),
            ("completeness", case, (one.question, both, one.first)),
            ("completeness", case, (one.question, both, f"{one.second} {one.invented}")),
            ("completeness", (one.question, both, one.first), (one.question, both, one.invented)),
            ("chunk_attribution", case, (one.question, both, one.first)),
            ("chunk_attribution", case, (one.question, mixed, whole)),
            ("chunk_attribution", (one.question, both, one.second), (one.question, both, one.invented)),
            ("chunk_utilisation", (one.question, both, both.replace("\n\n", " ")), case),
            ("chunk_utilisation", case, (one.question, both, one.second)),
            ("chunk_utilisation", (one.question, both, one.first), (one.question, both, one.invented)),
        ):
            found.setdefault(name, []).append((better, worse))
    return found


BLIND = tuple(
    (one.question, "\n\n".join(one.passages), right, wrong)
    for one, right, wrong in (
        (TOPICS[0], "Its lamp burned whale oil at first.", "Its lamp never burned whale oil."),
        (TOPICS[1], "Lamps can be returned within 30 days.", "Lamps can not be returned within 30 days."),
        (TOPICS[2], "Otters eat fish and frogs.", "Frogs and fish eat otters."),
        (TOPICS[3], "Faster modules run at 2666 MHz.", "Faster modules do not run at 2666 MHz."),
        (TOPICS[4], "On Saturdays it closes at one.", "On Saturdays it opens at one."),
        (TOPICS[5], "روزهای جمعه تعطیل است.", "روزهای جمعه تعطیل نیست."),
        (TOPICS[6], "حبوبات را از شب پیش خیس می‌کنند.", "حبوبات را از شب پیش خیس نمی‌کنند."),
        (TOPICS[7], "قطار در نیشابور توقف می‌کند.", "قطار در نیشابور توقف نمی‌کند."),
    )
)
"""Question, context, a claim that it supports, and one that says the opposite in nearly the same words."""
