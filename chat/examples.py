"""Conversations to begin with: each fills the composer, none is sent by itself."""

from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

# Label, and what the composer is filled with; the preset by its name, if there is one of that name.
EXAMPLES = [
    (
        _("Lyrics for a folk song"),
        "?" + urlencode({"preset": "Songwriter", "text": "Write a short folk song about rain on a tin roof."}),
    ),
    (
        _("A prompt for a picture"),
        "?" + urlencode({"preset": "Picture describer", "text": "A lighthouse at dusk, painted in oil."}),
    ),
    (
        _("A translation"),
        "?" + urlencode({"preset": "Translator", "text": "Der Mond ist aufgegangen, die goldnen Sternlein prangen."}),
    ),
]
