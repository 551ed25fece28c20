"""Markdown of a model as HTML that can do no harm: no HTML of its own, no pictures from elsewhere, few tags."""

from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore

VERSION = 1  # of the HTML that rows keep; another one has it made anew
LIMIT = 40_000  # characters: the worst 200,000 take nine seconds to read, so a longer text is shown as it is
NESTING = 20  # of quotes, lists and emphasis; what is deeper is shown as it is
SCHEMES = {"http", "https", "mailto"}
TAGS = {
    "p", "br", "hr", "h3", "h4", "h5", "h6", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li",
    "table", "thead", "tbody", "tr", "th", "td", "a",
}  # fmt: skip
HEADING_SHIFT = 2  # the page has its own h1 and h2


def render(text: str) -> SafeString:
    """Return safe HTML for a text of any length and content, in bounded time."""
    if len(text) > LIMIT:
        return mark_safe(f'<pre tabindex="0">{escape(text)}</pre>')  # noqa: S308  # escaped
    return mark_safe(cleaned(parser().render(text)))  # noqa: S308  # cleaned


def cleaned(html: str) -> str:
    """Return HTML with nothing but the tags and attributes that we know. Links open beside the studio."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
        # Wide code and tables scroll; what scrolls must be reached by the keyboard.
        set_tag_attribute_values={"a": {"target": "_blank"}, "pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
    )


@lru_cache(maxsize=1)
def parser() -> MarkdownIt:
    """Return the parser: CommonMark with tables, strikethrough and line breaks, without HTML and pictures."""
    # Lyrics are lines, so a line's end is one.
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING, "breaks": True})
    made.enable(["table", "strikethrough"]).disable(["image", "html_block", "html_inline"])
    made.core.ruler.push("small_headings", make_headings_small)
    # The stub has these as methods; the library documents setting them.
    made.validateLink = is_good_link  # type: ignore[method-assign]
    return made


def is_good_link(url: str) -> bool:
    """Whether a link leads to a page elsewhere: none of the studio's own, and no script."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.netloc or parts.scheme == "mailto")


def make_headings_small(state: StateCore) -> None:
    """Let headings begin below those of the page."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + HEADING_SHIFT, 6)}"
