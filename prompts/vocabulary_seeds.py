"""The style words, kinds of sections and structures of a new studio. The owner edits them in the admin."""

from typing import Any

STYLE_WORDS = {
    "genre": (
        "pop, indie pop, synth-pop, dream pop, electropop, art pop, chamber pop, rock, indie rock, alternative rock, "
        "hard rock, punk rock, post-punk, grunge, progressive rock, psychedelic rock, metal, folk, indie folk, "
        "americana, country, bluegrass, singer-songwriter, blues, jazz, swing, bossa nova, soul, neo-soul, R&B, funk, "
        "disco, gospel, hip-hop, trap, lo-fi hip-hop, boom bap, house, deep house, techno, trance, drum and bass, "
        "dubstep, UK garage, ambient, chillout, downtempo, trip-hop, synthwave, reggae, dub, ska, dancehall, "
        "latin pop, salsa, cumbia, flamenco, afrobeats, K-pop, chanson, schlager, klezmer, polka, sea shanty, "
        "celtic folk, classical, orchestral, film score, minimal music, opera, choral, musical theatre, lullaby, "
        "children's song"
    ),
    "mood": (
        "happy, uplifting, hopeful, playful, romantic, tender, warm, dreamy, nostalgic, melancholic, sad, bittersweet, "
        "lonely, longing, peaceful, calm, meditative, mysterious, dark, haunting, tense, dramatic, epic, triumphant, "
        "powerful, energetic, driving, euphoric, rebellious, angry, sensual, groovy, quirky, cinematic, intimate, raw, "
        "festive, summery, wintry, late-night"
    ),
    "instrument": (
        "acoustic guitar, fingerpicked guitar, electric guitar, distorted guitar, slide guitar, twelve-string guitar, "
        "bass guitar, upright bass, synth bass, piano, felt piano, upright piano, electric piano, Hammond organ, "
        "church organ, harpsichord, accordion, harmonica, banjo, mandolin, ukulele, lute, harp, violin, fiddle, viola, "
        "cello, string quartet, string section, full orchestra, flute, clarinet, oboe, saxophone, trumpet, trombone, "
        "brass section, French horn, drums, brushed drums, drum machine, 808 drums, hand claps, congas, cajón, tabla, "
        "hand percussion, marimba, vibraphone, glockenspiel, music box, analog synthesizer, arpeggiated synth, "
        "synth pads, vocoder, sitar, koto, didgeridoo, bagpipes, tin whistle, field recordings, vinyl crackle"
    ),
    "tempo": (
        "very slow, slow, mid-tempo, fast, very fast, 60 bpm, 72 bpm, 84 bpm, 96 bpm, 108 bpm, 120 bpm, 128 bpm, "
        "140 bpm, 160 bpm, 174 bpm, waltz in 3/4, shuffle, swing feel, half-time, rubato, steady four on the floor"
    ),
    "voice": (
        "female voice, male voice, soprano, alto, tenor, baritone, bass voice, breathy voice, soft voice, "
        "powerful voice, raspy voice, smoky voice, falsetto, spoken word, rap, whispering, belting, vocal harmonies, "
        "close harmonies, duet, choir, children's choir, gospel choir, call and response, vocal chops, autotune, "
        "humming, a cappella"
    ),
}  # fmt: skip
SECTIONS = (
    ("Intro", "Sets the scene: a line or two, or no words at all."),
    ("Verse", "Tells the story; each verse takes it a step further."),
    ("Pre-chorus", "Builds up to the chorus."),
    ("Chorus", "The heart of the song; it comes back with the same words."),
    ("Post-chorus", "Lets the chorus ring on."),
    ("Hook", "A short line that stays in the ear."),
    ("Refrain", "A line that ends every verse."),
    ("Bridge", "Something new: another view, another melody."),
    ("Break", "The music alone, or almost."),
    ("Instrumental", "A part without words."),
    ("Rap", "Spoken in rhythm, dense in rhyme."),
    ("Build-up", "Tension before the drop."),
    ("Drop", "Release: few words, much music."),
    ("Interlude", "A breath between two parts."),
    ("Outro", "Says goodbye, often with an echo of the beginning."),
)
STRUCTURES = (
    ("Classic pop", "Intro, Verse, Pre-chorus, Chorus, Verse, Pre-chorus, Chorus, Bridge, Chorus, Outro"),
    ("Ballad", "Intro, Verse, Verse, Chorus, Verse, Chorus, Bridge, Chorus, Outro"),
    ("Rap", "Intro, Hook, Rap, Hook, Rap, Bridge, Hook, Outro"),
    ("Folk", "Verse, Refrain, Verse, Refrain, Verse, Refrain"),
    ("Rock", "Intro, Verse, Chorus, Verse, Chorus, Instrumental, Bridge, Chorus, Outro"),
    ("Dance", "Intro, Verse, Build-up, Drop, Break, Verse, Build-up, Drop, Outro"),
    ("Short", "Verse, Chorus, Verse, Chorus"),
)


def plant_words(apps: Any, schema_editor: Any) -> None:
    """Fill the empty tables (a step of the first migration)."""
    rows: dict[str, list[dict[str, Any]]] = {
        "StyleTerm": [
            {"kind": kind, "word": word, "position": place}
            for kind, words in STYLE_WORDS.items()
            for place, word in enumerate(words.split(", "), start=1)
        ],
        "SectionKind": [
            {"label": label, "hint": hint, "position": place} for place, (label, hint) in enumerate(SECTIONS, start=1)
        ],
        "SongStructure": [
            {"name": name, "sections": labels.replace(", ", "\n"), "position": place}
            for place, (name, labels) in enumerate(STRUCTURES, start=1)
        ],
    }
    for name, values in rows.items():
        model = apps.get_model("prompts", name)
        model.objects.bulk_create(model(**one) for one in values)
