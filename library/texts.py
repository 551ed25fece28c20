"""Texts that people write beside what they keep: checked before any database sees them."""

from django.utils.translation import gettext as _


def check_text(problems: dict[str, str], name: str, text: str, limit: int, missing: str = "") -> None:
    """Note what is wrong with a text: missing (if `missing` says what then), too long, or not a text."""
    if missing and not text.strip():
        problems[name] = missing
    elif len(text) > limit:
        problems[name] = _("At most %(limit)d characters; this has %(count)d.") % {"limit": limit, "count": len(text)}
    elif "\x00" in text:
        problems[name] = _("The text holds a character that cannot be stored (NUL).")
    elif any("\ud800" <= character <= "\udfff" for character in text):
        problems[name] = _("The text holds half a character, which cannot be stored.")
