"""Composing: a small piece of music as notes, the same for the same seed, different for every other."""

import math
import random
from dataclasses import dataclass
from typing import NamedTuple

LAYERS = ("vocals", "drums", "bass", "other")
KICK, SNARE, HAT = 36, 38, 42

MAJOR = (0, 2, 4, 5, 7, 9, 11)
# Roots of four bars, as steps of the scale.
PROGRESSIONS = ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 5, 4), (3, 0, 4, 5))
TEMPI = (80, 88, 96, 104, 112, 120)
# Eighths of a bar on which the melody moves.
RHYTHMS = ((0, 2, 3, 4, 6), (0, 1, 2, 4, 6, 7), (0, 3, 4, 6), (0, 2, 4, 5, 6))


@dataclass(frozen=True)
class Piece:
    """One piece: who it is (seed), song or instrumental, and its exact length."""

    seed: str
    kind: str
    milliseconds: int


class Note(NamedTuple):
    """A note of one layer; times in seconds, pitch as a MIDI number, loudness 0 to 1."""

    layer: str
    start: float
    seconds: float
    pitch: int
    loudness: float


def compose(piece: Piece) -> tuple[Note, ...]:
    """Return the notes of a piece in order of bars: chords, bass, drums and a melody over four repeating bars."""
    rng = random.Random(piece.seed)  # noqa: S311  the same seed must give the same music
    beat = 60 / rng.choice(TEMPI)
    tonic, progression = rng.randrange(55, 63), rng.choice(PROGRESSIONS)
    motifs = [_motif(rng) for _ in range(2)]
    length = piece.milliseconds / 1000
    bars = math.ceil(length / (4 * beat))
    notes: list[Note] = []
    for bar in range(bars):
        start, root = bar * 4 * beat, progression[bar % 4]
        notes += _chord(piece.kind, start, beat, tonic, root)
        notes += _bass(start, beat, tonic, root)
        if bar or bars < 4:  # the first bar of a longer piece is its intro
            notes += _drums(start, beat, fill=bar % 4 == 3)
            notes += _melody(start, beat, tonic, root, motifs[bar // 2 % 2])
    return tuple(note for note in notes if note.start < length - 0.05)


def _pitch(tonic: int, step: int) -> int:
    return tonic + MAJOR[step % 7] + 12 * (step // 7)


def _motif(rng: random.Random) -> list[tuple[int, int, int]]:
    """Return (eighth, length in eighths, steps above the root) of one bar of melody."""
    onsets = rng.choice(RHYTHMS)
    ends = (*onsets[1:], 8)
    steps = [rng.choice((0, 2, 4))] + [rng.choice((-1, 0, 1, 2, 4, 5)) for _ in onsets[1:]]
    return [(onset, end - onset, step) for onset, end, step in zip(onsets, ends, steps, strict=True)]


def _chord(kind: str, start: float, beat: float, tonic: int, root: int) -> list[Note]:
    pitches = [_pitch(tonic, root % 5 + step) for step in (0, 2, 4)]
    if kind == "song":
        return [Note("other", start, 4 * beat, pitch, 0.5) for pitch in pitches]
    broken = (0, 1, 2, 1, 0, 1, 2, 1)
    return [Note("other", start + i * beat / 2, beat, pitches[part], 0.7) for i, part in enumerate(broken)]


def _bass(start: float, beat: float, tonic: int, root: int) -> list[Note]:
    low, fifth = _pitch(tonic, root) - 24, _pitch(tonic, root + 4) - 24
    return [
        Note("bass", start + at * beat, length * beat, pitch, 0.9)
        for at, length, pitch in ((0, 1.5, low), (1.5, 0.5, low), (2, 1, fifth), (3, 1, low))
    ]


def _drums(start: float, beat: float, *, fill: bool) -> list[Note]:
    hits = [(0.0, KICK, 1.0), (1.0, SNARE, 0.8), (2.0, KICK, 0.9), (2.5, KICK, 0.6), (3.0, SNARE, 0.8)]
    hits += [(eighth / 2, HAT, 0.5 if eighth % 2 else 0.8) for eighth in range(8)]
    if fill:
        hits += [(3.5, SNARE, 0.5), (3.75, SNARE, 0.7)]
    return [Note("drums", start + at * beat, 0.25, drum, loudness) for at, drum, loudness in hits]


def _melody(start: float, beat: float, tonic: int, root: int, motif: list[tuple[int, int, int]]) -> list[Note]:
    return [
        Note("vocals", start + eighth * beat / 2, length * beat / 2, _pitch(tonic, root % 5 + step) + 12, 0.8)
        for eighth, length, step in motif
    ]
