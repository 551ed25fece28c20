"""The templates that a new studio starts with. The owner edits them on the page; nothing here ever overwrites that.

They are written for small models at home: one task, plain rules, the text between marks, and at last, where a small
model heeds it most, what to answer with.
"""

from typing import Any

LANGUAGES = [
    "English", "German", "French", "Spanish", "Italian", "Portuguese", "Dutch", "Polish", "Czech", "Swedish",
    "Turkish", "Ukrainian", "Russian", "Arabic", "Hindi", "Japanese", "Korean", "Chinese",
]  # fmt: skip
LANGUAGE = {"name": "language", "label": "Language", "kind": "choice", "choices": LANGUAGES, "default": "English", "required": True}  # fmt: skip
SAME_LANGUAGE = {"name": "language", "label": "Language", "kind": "choice", "choices": LANGUAGES}
MOOD = {"name": "mood", "label": "Mood", "kind": "choice", "choices": [
    "hopeful", "joyful", "calm", "dreamy", "longing", "melancholy", "dark", "angry", "romantic", "playful", "proud",
]}  # fmt: skip
LOOK = {"name": "style", "label": "Style", "kind": "choice", "choices": [
    "photograph", "film still", "oil painting", "watercolour", "pencil drawing", "ink drawing", "flat illustration",
    "children's book illustration", "comic", "anime", "3D render", "pixel art", "woodcut", "vintage poster",
]}  # fmt: skip

IMAGES = [
    {
        "category": "images", "action": "enhance", "temperature": 0.7, "max_tokens": 1024, "variables": [LOOK],
        "description": "Turns a short idea into a prompt that a picture can be made of.",
        "pre_condition": """Rewrite the text below as a better prompt for an image generator.

Keep the subject and everything that is named. Add what a picture needs and the text leaves open: the place, what is in front and what is behind, the light, the colours, the materials, the mood.
Style of the picture: {style}
Name things that can be seen. No lists of quality words such as "masterpiece" or "8k", no names of living artists.
Write one paragraph of 40 to 100 words, in English.

<text>""",
        "post_condition": """</text>

Answer with the new prompt and nothing else: no introduction, no quotation marks, no explanation.""",
    },
    {
        "category": "images", "action": "translate", "temperature": 0.2, "max_tokens": 1024, "variables": [LANGUAGE],
        "description": "Translates a prompt; most picture models understand English best.",
        "pre_condition": """Translate the text below into {language}. It is a prompt for an image generator.

Translate everything, add nothing, leave nothing out. Keep names, numbers and technical words as they are. If the text is in {language} already, repeat it unchanged.

<text>""",
        "post_condition": """</text>

Answer with the translation and nothing else: no introduction, no quotation marks, no explanation.""",
    },
    {
        "category": "images", "action": "from_lyrics", "temperature": 0.8, "max_tokens": 1024, "variables": [LOOK],
        "description": "Makes a prompt for a cover picture from the lyrics in the field.",
        "pre_condition": """Describe one picture that could stand on the cover of the song below, as a prompt for an image generator.

Choose one scene, place or object that carries the feeling of the song. Name things that can be seen: the place, the light, the colours, the mood.
Style of the picture: {style}
No words, letters or logos in the picture. Do not quote the lyrics.
Write one paragraph of 40 to 100 words, in English.

<lyrics>""",
        "post_condition": """</lyrics>

Answer with the prompt for the picture and nothing else: no introduction, no quotation marks, no explanation.""",
    },
]  # fmt: skip

SONGS = [
    {
        "category": "songs", "action": "enhance", "temperature": 0.7, "max_tokens": 1024, "variables": [MOOD],
        "description": "Turns a short idea into a style that a music model understands.",
        "pre_condition": """Rewrite the text below as a better style description for a music generator.

Keep every genre, instrument and voice that is named. Add what is left open: genre and sub-genre, two to four instruments, the tempo in BPM, the mood, the voice, the sound of the recording.
Mood: {mood}
Write short phrases separated by commas, at most 40 words, in English. No names of artists, bands or songs.

<text>""",
        "post_condition": """</text>

Answer with the style description on one line and nothing else: no introduction, no quotation marks, no explanation.""",
    },
    {
        "category": "songs", "action": "translate", "temperature": 0.2, "max_tokens": 1024, "variables": [LANGUAGE],
        "description": "Translates a style; music models understand English best.",
        "pre_condition": """Translate the text below into {language}. It is a style description for a music generator.

Use the words that musicians use in that language. Keep the order, the commas and the numbers. Add nothing. If the text is in {language} already, repeat it unchanged.

<text>""",
        "post_condition": """</text>

Answer with the translation and nothing else: no introduction, no quotation marks, no explanation.""",
    },
]  # fmt: skip

BRACKETS = "Put the name of each section in square brackets on a line of its own, such as [Verse] or [Chorus]"

LYRICS = [
    {
        "category": "lyrics", "action": "generate", "temperature": 0.9, "max_tokens": 2048, "is_text_needed": False,
        "description": "Writes the lyrics of a song. What stands in the field is what it is about.",
        "variables": [
            MOOD,
            SAME_LANGUAGE | {"default": "English"},
            {"name": "structure", "label": "Structure", "kind": "long_text",
             "default": "Verse, Chorus, Verse, Chorus, Bridge, Chorus"},
        ],
        "pre_condition": f"""Write the lyrics of a song.

What it is about: <text>{{text}}</text>
Mood: {{mood}}
Language: {{language}}
Structure, in this order:
{{structure}}

{BRACKETS}. Leave an empty line between sections. Four to eight lines a section, each short enough to be sung in one breath. Let the lines rhyme where it comes naturally; every chorus has the same words. Say it in small scenes and things that can be seen, not in big words.""",
        "post_condition": """Answer with the lyrics and nothing else: no title, no introduction, no chords, no explanation.""",
    },
    {
        "category": "lyrics", "action": "translate", "temperature": 0.4, "max_tokens": 4096, "variables": [LANGUAGE],
        "description": "Translates lyrics so that they can be sung.",
        "pre_condition": """Translate the lyrics below into {language}, so that they can be sung to the same melody.

Keep the meaning, the number of lines and about the length of each line. Rhyme where the original rhymes, but never at the price of the meaning. Leave what stands in [square brackets], and the empty lines, exactly as they are.

<lyrics>""",
        "post_condition": """</lyrics>

Answer with the translated lyrics and nothing else: no introduction, no explanation.""",
    },
    {
        "category": "lyrics", "action": "improve", "temperature": 0.7, "max_tokens": 4096,
        "description": "Mends rhythm, rhymes and worn-out phrases, and keeps the story.",
        "variables": [{"name": "wish", "label": "What should be better", "kind": "text"}],
        "pre_condition": """Improve the lyrics below.

What matters most: {wish}
Keep the story, the language, the sections in [square brackets] and their order. Replace worn-out phrases by fresh ones, mend lines that stumble, make weak rhymes strong. A line that is good stays as it is, word for word.

<lyrics>""",
        "post_condition": """</lyrics>

Answer with the improved lyrics and nothing else: no introduction, no explanation, no list of changes.""",
    },
    {
        "category": "lyrics", "action": "shorten", "temperature": 0.4, "max_tokens": 4096,
        "description": "Makes lyrics shorter and keeps the best lines.",
        "variables": [{"name": "percent", "label": "Length that remains, in percent", "kind": "number", "default": "60", "required": True}],
        "pre_condition": """Shorten the lyrics below to about {percent} percent of their length.

Take whole lines out and join others. Keep the best lines, the chorus, the language and the names of the sections in [square brackets]. What remains must still tell the story and still be sung easily.

<lyrics>""",
        "post_condition": """</lyrics>

Answer with the shortened lyrics and nothing else: no introduction, no explanation.""",
    },
    {
        "category": "lyrics", "action": "continue", "temperature": 0.9, "max_tokens": 2048,
        "description": "Writes what comes next. Take it with “Append”.",
        "variables": [{"name": "section", "label": "What comes next", "kind": "choice", "default": "Verse", "required": True,
                       "choices": ["Verse", "Pre-chorus", "Chorus", "Bridge", "Outro"]}],
        "pre_condition": """Continue the lyrics below with one more section: {section}.

Write in the same language, rhythm, rhyme scheme and mood, and tell the story on. Do not repeat lines that are there already. Begin with the name of the section in square brackets on a line of its own, then four to eight lines.

<lyrics>""",
        "post_condition": """</lyrics>

Answer with the new section and nothing else: not the lyrics before it, no introduction, no explanation.""",
    },
]  # fmt: skip

TITLES = [
    {
        "category": "title", "action": "generate", "temperature": 0.9, "max_tokens": 512, "is_text_needed": False,
        "description": "Finds a title from the lyrics and the style.",
        "variables": [
            {"name": "lyrics", "label": "Lyrics", "kind": "long_text"},
            {"name": "style", "label": "Style", "kind": "text"},
        ],
        "pre_condition": """Find a title for a song.

An idea for it: {text}
Style of the music: {style}
<lyrics>{lyrics}</lyrics>

The title is in the language of the lyrics, has one to five words, and makes one curious. Take a striking image from the song rather than its first line.""",
        "post_condition": """Answer with one title and nothing else: no quotation marks, no full stop, no explanation.""",
    },
]  # fmt: skip

TEMPLATES: list[dict[str, Any]] = [*IMAGES, *SONGS, *LYRICS, *TITLES]


def plant(apps: Any, schema_editor: Any) -> None:
    """Fill the table of templates if it is empty (a step of the first migration)."""
    template = apps.get_model("prompts", "PromptTemplate")
    if template.objects.exists():
        return
    template.objects.bulk_create(
        [template(**values | {"variables": [complete(each) for each in values["variables"]]}) for values in TEMPLATES]
    )


def complete(variable: dict[str, Any]) -> dict[str, Any]:
    """Return a variable with all its values, as the studio keeps it."""
    return {"name": "", "label": "", "kind": "text", "choices": [], "default": "", "required": False} | variable
