"""Songs to begin with: each fills the form, none is sent by itself."""

from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _

# Label, and what the form is filled with.
EXAMPLES = [
    (
        _("A folk song"),
        "?"
        + urlencode(
            {
                "title": "Rain on the Roof",
                "prompt": "indie folk, warm acoustic guitar, close harmonies",
                "lyrics": "[Verse]\nRain on the roof, the city slows\nA yellow light in all the windows\n\n"
                "[Chorus]\nStay a while, stay a while\nThe road can wait another mile",
            }
        ),
    ),
    (
        _("A synth-pop song"),
        "?"
        + urlencode(
            {
                "title": "Night Train",
                "prompt": "synth-pop, 118 bpm, bright arpeggios, 1980s drums",
                "lyrics": "[Verse]\nNeon on the river, midnight on the line\nEvery station passing is another sign\n\n"
                "[Chorus]\nNight train, take me over\nNight train, take me home",
            }
        ),
    ),
    (
        _("A piano instrumental"),
        "?"
        + urlencode(
            {"kind": "instrumental", "title": "First Snow", "prompt": "solo piano, slow waltz, soft felt hammers"}
        ),
    ),
]
