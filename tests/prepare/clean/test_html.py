from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sevenfold.chat.conversation import Conversation, Message
from sevenfold.prepare.clean.html import Html, clean
from sevenfold.prepare.dataset import Row

PLANTED = [
    ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
    ("Fish &amp; chips &#1587;&#x644;", "Fish & chips سل"),
    ("a <b>bold</b> and <i>leaning</i> word", "a bold and leaning word"),
    ("<script>if (a<b) alert('x')</script>Text<style>p {}</style>", "Text"),
    ("<!-- no -->yes<!DOCTYPE html>", "yes"),
    ("<ul><li>One</li><li>Two<ol><li>a</li><li>b</li></ol></li></ul>", "- One\n- Two\n  1. a\n  2. b"),
    (
        '<pre><code class="language-python">def f(x):\n    return x &lt; 1\n</code></pre>',
        "```python\ndef f(x):\n    return x < 1\n```",
    ),
    ("Use <code>ls -l</code> now", "Use `ls -l` now"),
    ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a\tb\n1\t2"),
    ('<p dir="rtl">سلام &laquo;دنیا&raquo;<br/>می&zwnj;روم</p>', "سلام «دنیا»\nمی‌روم"),
    ('<img src="x.png" alt="A cat"> sat', "A cat sat"),
    ("<div>if a < b and vector<int> x</div>", "if a < b and vector<int> x"),
    ("<p>See `<b>`:</p>\n```html\n<p>code</p>\n```", "See `<b>`:\n\n```html\n<p>code</p>\n```"),
    ("<head><title>T</title></head><body>Text</body>", "Text"),
    ("<p>never closed <b>words", "never closed words"),
]
CLEAN = [
    "if a < b and c > d: pass",
    "for (i=0;i<b && c>d;i++) List<String> x; a<b and c>d",
    "AT&T, R&D; x &y; &unknownentity;",
    "<think>hm</think> <|im_end|> </s>",
    "```html\n<p>Hello &amp; bye</p>\n```",
    "Write `<br>` or `&amp;`.",
    "  indented\n\n\n\ntext  ",
    "x <- y; <3 -> <=>",
]


@pytest.mark.parametrize(("markup", "text"), PLANTED)
def test_markup_becomes_text(markup, text):
    assert clean(markup) == text


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_markup_stays(text):
    row = Row(Conversation((Message("user", text), Message("assistant", text))), "rows:1")
    assert Html().start()(row) is row


MARKS = "<p> </p> <pre> </ul> <li> <script> <!-- <![CDATA[ &lt; < > ` ``` a <b x= </script>"
PIECES = [*MARKS.split(), "\n", " "]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_markup_is_read_without_an_error(text):
    assert isinstance(clean(text), str)


@pytest.mark.parametrize(
    "text", ["Press <b> to go back.", "The <div> element is a block.", "use <i> or <EM>\n  for stress", "x <select> y"]
)
def test_a_tag_that_is_spoken_of_stays(text):
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a <b>word</b>", "a word"), ("one<p>two", "one\n\ntwo"), ("a<br>b", "a\nb"), ("<B>x</b >", "x")],
)
def test_a_tag_that_is_closed_or_needs_no_end_is_read(text, plain):
    assert clean(text) == plain
