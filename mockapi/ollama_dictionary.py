"""A small dictionary, enough for a translation to look like one."""

import re

PAIRS = """
a ein|about über|above über|after nach|again wieder|air Luft|all alle|alone allein|always immer|am bin|an ein
and und|are sind|arms Arme|as als|at bei|autumn Herbst|away fort|back zurück|be sein|beach Strand
beautiful schön|because weil|before vor|behind hinter|below unter|beneath unter|between zwischen|big groß
bird Vogel|black schwarz|blue blau|boat Boot|book Buch|bridge Brücke|bright hell|broken zerbrochen|brown braun
burning brennend|but aber|by von|calm ruhig|can kann|candle Kerze|cat Katze|chair Stuhl|child Kind
chorus Refrain|city Stadt|clear klar|cloud Wolke|clouds Wolken|coast Küste|coffee Kaffee|cold kalt
colours Farben|come komm|crying weinend|dance tanz|dancing tanzend|dark dunkel|darkness Dunkelheit
dawn Morgenröte|day Tag|days Tage|deep tief|dog Hund|door Tür|down hinunter|dream Traum|dreams Träume
early früh|earth Erde|evening Abend|every jeder|everything alles|eyes Augen|face Gesicht|fall fallen|far fern
fast schnell|field Feld|fields Felder|fire Feuer|fish Fisch|flower Blume|flowers Blumen|fog Nebel|for für
forest Wald|forever ewig|free frei|friend Freund|from von|garden Garten|girl Mädchen|give gib|glass Glas
go geh|golden golden|good gut|green grün|grey grau|guitar Gitarre|hair Haar|hand Hand|hands Hände
happy glücklich|harbour Hafen|have haben|he er|hear höre|heart Herz|hearts Herzen|heaven Himmel|her ihr
here hier|high hoch|hill Hügel|his sein|hold halt|home Heim|hope Hoffnung|horse Pferd|house Haus|how wie|i ich
ice Eis|in in|into in|is ist|island Insel|it es|just nur|keep halte|king König|kitchen Küche|know weiß
lake See|lamp Lampe|land Land|last letzte|late spät|leaves Blätter|leave verlass|left links|letter Brief
life Leben|light Licht|lighthouse Leuchtturm|lights Lichter|like wie|little klein|long lang|lost verloren
love Liebe|man Mann|me mich|meadow Wiese|midnight Mitternacht|mirror Spiegel|misty neblig|money Geld|moon Mond
moonlight Mondlicht|more mehr|morning Morgen|mother Mutter|mountain Berg|mountains Berge|music Musik|my mein
name Name|near nah|never nie|new neu|night Nacht|nights Nächte|no kein|not nicht|nothing nichts|now jetzt
ocean Ozean|of von|old alt|on auf|one eins|only nur|open offen|or oder|our unser|out hinaus|over über
piano Klavier|picture Bild|place Ort|queen Königin|quiet still|rain Regen|rainy regnerisch|red rot
remember erinnere|rider Reiter|right rechts|ring Ring|river Fluss|road Straße|roof Dach|room Zimmer
rooftops Dächer|rose Rose|run lauf|sad traurig|sail Segel|sand Sand|sea Meer|see sehe|shadow Schatten
shadows Schatten|she sie|ship Schiff|shore Ufer|silence Stille|silver silbern|sing sing|singing singend
sister Schwester|sky Himmel|sleep Schlaf|slow langsam|slowly langsam|small klein|smile Lächeln|snow Schnee
so so|soft sanft|softly sanft|some einige|someone jemand|song Lied|songs Lieder|soul Seele|sound Klang
spring Frühling|stand steh|star Stern|stars Sterne|station Bahnhof|stay bleib|still noch|stone Stein
storm Sturm|story Geschichte|street Straße|streets Straßen|strong stark|summer Sommer|sun Sonne
sunrise Sonnenaufgang|sunset Sonnenuntergang|sweet süß|table Tisch|take nimm|tears Tränen|tell sag|that dass
the die|their ihr|them sie|then dann|there dort|they sie|this dies|through durch|time Zeit|to zu|today heute
together zusammen|tomorrow morgen|tonight heute Nacht|touch berühr|town Stadt|train Zug|tree Baum|trees Bäume
true wahr|two zwei|under unter|until bis|up hinauf|us uns|valley Tal|verse Strophe|very sehr|village Dorf
voice Stimme|wait warte|waiting wartend|walk geh|wall Wand|want will|warm warm|was war|water Wasser|wave Welle
waves Wellen|way Weg|we wir|were waren|what was|when wenn|where wo|white weiß|who wer|why warum|wild wild
will werde|wind Wind|window Fenster|wine Wein|wing Flügel|wings Flügel|winter Winter|with mit|without ohne
woman Frau|wood Holz|word Wort|words Worte|world Welt|year Jahr|years Jahre|yellow gelb|yes ja
yesterday gestern|you du|young jung|your dein
"""
GERMAN = dict(entry.split(" ", 1) for entry in PAIRS.replace("\n", "|").strip("|").split("|"))
ENGLISH: dict[str, str] = {}
for _english, _german in GERMAN.items():
    ENGLISH.setdefault(_german.lower(), _english)
ENGLISH |= {"der": "the", "das": "the", "dem": "the", "den": "the", "eine": "a", "einen": "a", "im": "in the"}
ENGLISH |= {
    "am": "at the",
    "einem": "a",
    "einer": "a",
    "zum": "to the",
    "zur": "to the",
    "kalte": "cold",
    "ruhiger": "calm",
}

WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
KNOWN_ENOUGH = 0.5


def translate(text: str, language: str) -> str:
    """Return a text in another language, line by line; where the dictionary does not reach, the line says so."""
    return "\n".join(_line(line, language) for line in text.splitlines())


def _line(line: str, language: str) -> str:
    if not WORD.search(line) or re.fullmatch(r"\s*\[[^\]]*\]\s*", line):
        return line  # nothing to say, or the [Tag] of a section
    words = {"German": GERMAN, "English": ENGLISH}.get(language, {})
    found = [word.lower() in words for word in WORD.findall(line)]
    if sum(found) < len(found) * KNOWN_ENOUGH:
        return (
            line if language == "English" and not words.keys() & set(line.lower().split()) else f"({language}) {line}"
        )
    other = WORD.sub(lambda match: _word(match[0], words), line)
    if language == "English":  # where nouns are small
        other = WORD.sub(lambda match: match[0] if match[0].istitle() and match[0] in line else match[0].lower(), other)
    return other[:1].upper() + other[1:] if line[0].isupper() else other


def _word(word: str, words: dict[str, str]) -> str:
    other = words.get(word.lower(), word)
    return other[:1].upper() + other[1:] if word[0].isupper() and word.lower() != "i" else other
