"""Pictures to begin with: each fills the form, none is sent by itself."""

from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

# Label, and what the form is filled with.
EXAMPLES = [
    (
        _("A painting"),
        "?" + urlencode({"prompt": "A lighthouse on a cliff at dusk, oil painting, warm light in the windows"}),
    ),
    (
        _("A photo"),
        "?" + urlencode({"prompt": "A cup of coffee on a wooden table by a rainy window, soft light, 35 mm photo"}),
    ),
    (
        _("An album cover"),
        "?" + urlencode({"prompt": "Album cover: a night train crossing a bridge, flat shapes, indigo and amber"}),
    ),
]
