"""A text's words without those that say little, in a column of their own."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from sevenfold.errors import RecipeError
from sevenfold.prepare.clean._words import Languaged, plain, words

LISTS = {
    "en": "a about above after again against all also am an and any are as at be because been before being "
    "below between both but by can could did do does doing down during each few for from further had has "
    "have having he her here hers herself him himself his how i if in into is it its itself just may me "
    "might more most must my myself no nor not now of off on once only or other our ours ourselves out "
    "over own s same shall she should so some such t than that the their theirs them themselves then "
    "there these they this those through to too under until up very was we were what when where which "
    "while who whom why will with would you your yours yourself yourselves don't doesn't didn't isn't "
    "aren't wasn't weren't won't can't couldn't it's i'm you're they're we're that's",
    "fa": "از است اش اگر ام اما ان انها او این اینکه ای با باید بدون بر برای برخی بسیار بعد بلکه بنابراین به "
    "بود بودن بودند بوده بی بین تا تر ترین تنها تو جز چرا چه چون چند چنین حتی خود خواهد خواهند در درباره "
    "دو دیگر را روی زیرا سپس سوی شد شدن شدند شده شما شود شوند ضمن طی عنوان غیر فقط کرد کردن کردند کرده کس "
    "کنار کند کنند کنید که کل کنم ما مانند من مورد می نباید نبود نه نیز نیست نمی ها های هایی هر هم همان "
    "همه همچنین همین هنوز هیچ هیچ‌کس و ولی وی یا یک یکی یعنی آن آنان آنجا آنها آن‌ها آیا این‌ها اینها "
    "اینجا پس پیش هستم هستی هستیم هستید هستند می‌شود می‌شوند می‌کند می‌کنند شده‌است می‌باشد دارد دارند "
    "داشت داشته داشتن وقتی",
}
"""Words of grammar: articles, pronouns, prepositions, conjunctions, auxiliaries. Longer lists that go around hold words
with a meaning of their own."""


class StopWords(Languaged):
    """The words that say something: those of grammar (`the`, `of`; `از`, `که`) are left out, in small letters.

    The lists are of English and Persian, 149 and 135 words.
    """

    more: tuple[str, ...] = Field((), description="Words that are left out too.")
    but: tuple[str, ...] = Field((), description="Words that stay all the same: not, without.")

    def finder(self) -> Callable[[str], list[str]]:
        """The words that are in no list."""
        if self.language not in ("auto", *LISTS):
            raise RecipeError(
                f"stop_words: no list for {self.language!r}", value=self.language, alternatives=("auto", *LISTS)
            )
        own, stay = {plain(word) for word in self.more}, {plain(word) for word in self.but}
        lists = {code: ({plain(word) for word in text.split()} | own) - stay for code, text in LISTS.items()}

        def left(text: str) -> list[str]:
            known = lists[self.code(text)]
            return [word for word in map(plain, words(text)) if word not in known]

        return left
