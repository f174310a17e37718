"""Whether a text in Arabic script is Persian: its letters and small words against those of its neighbours."""

from __future__ import annotations

import re

from sevenfold.prepare.clean._persian.letters import LETTER, LETTERS, MARK, words

WORD = re.compile(f"(?:{LETTER}|{MARK}|\u200c)+")
PERSIAN_LETTERS = frozenset("پچژگ")
PERSIAN_WORDS = words(
    "از که این آن را با برای تا است بود شد شود هم هر یک دو سه می نمی ها های در به چه چرا کجا من تو او ما شما بر یا "
    "اگر ولی اما نیست کرد کند کنم دارد باشد خود دیگر همه هیچ چند سلام خوب بله خیر"
)
OTHER_WORDS = words(
    "فی الی إلی هذا هذه ذلك ذلک التی الذی کان قال إن أن لا لم لن ثم أو هو هی نحن عن مع "
    "کے کو سے ہے میں نے اور ہیں کا یہ وہ تھا د په چې له"
)
"""Words of Arabic, Urdu and Pashto, their letters folded as ours are; those that Persian has too do not speak."""
OTHER_LETTERS = re.compile("[ةإٹڈڑںےۆێڵڕځڅډړږښڼېۍټۇۈڭەہھ]|^ئ")
"""Letters, and the beginning of words, of Arabic, Urdu, Kurdish, Pashto and Uyghur."""
SHARED = re.compile("[يىك]")
"""Letters of an Arabic keyboard: with them the letters of Persian could be those of a neighbour as well."""
ARTICLE = re.compile("^(?:و|ب|ف|ل|ک)?ال.{3,}$")


def is_persian(text: str) -> bool:
    """Whether more words of the text are plainly Persian than plainly Arabic, Urdu, Kurdish, Pashto or Uyghur."""
    ours = theirs = 0
    for found in WORD.finditer(text):
        word = found[0].replace("\u200c", " ").translate(LETTERS).split(" ")[0]
        if OTHER_LETTERS.search(found[0]) or word in OTHER_WORDS or ARTICLE.match(word):
            theirs += 1
        elif word in PERSIAN_WORDS or speaks(found[0]):
            ours += 1
    return ours > theirs


def speaks(word: str) -> bool:
    """Whether a word's letters are plainly Persian."""
    return "\u200c" in word or (not PERSIAN_LETTERS.isdisjoint(word) and not SHARED.search(word))
