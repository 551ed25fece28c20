"""Real, audible audio: the composed notes rendered with numpy and written as mp3, flac and wav of the exact length."""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from mockapi.score import HAT, KICK, LAYERS, Note, Piece, compose

Samples = NDArray[np.float32]

RATE = 44_100
FORMATS = {"mp3": ("MP3", "MPEG_LAYER_III"), "flac": ("FLAC", "PCM_16"), "wav": ("WAV", "PCM_16")}
LOUDNESS = {"vocals": 0.5, "drums": 0.55, "bass": 0.5, "other": 0.3}
PEAK = 0.85


def render(piece: Piece) -> dict[str, Samples]:
    """Return each layer of a piece, mono at 44.1 kHz; their sum is the piece, faded in and out, without clipping."""
    length = round(piece.milliseconds * RATE / 1000)
    layers = {name: np.zeros(length, dtype=np.float32) for name in LAYERS}
    sounds: dict[tuple[str, int, float], Samples] = {}
    for note in compose(piece):
        key = (note.layer, note.pitch, round(note.seconds, 4))
        if key not in sounds:
            sounds[key] = _sound(piece.kind, note) * np.float32(LOUDNESS[note.layer])
        start = round(note.start * RATE)
        target = layers[note.layer][start : start + len(sounds[key])]
        target += sounds[key][: len(target)] * np.float32(note.loudness)
    envelope = _fades(length) * np.float32(PEAK / max(float(np.abs(sum(layers.values())).max()), 1e-6))
    return {name: samples * envelope for name, samples in layers.items()}


def mix(piece: Piece) -> Samples:
    """Return the whole piece."""
    layers = render(piece)
    total = layers["vocals"]
    for name in LAYERS[1:]:
        total += layers[name]
    return total


def write(samples: Samples, target: Path | BytesIO, extension: str) -> None:
    """Write samples as `mp3`, `flac` or `wav`, whatever the target's own name ends in."""
    kind, subtype = FORMATS[extension]
    soundfile.write(target, samples, RATE, format=kind, subtype=subtype)


def _fades(length: int) -> Samples:
    envelope = np.ones(length, dtype=np.float32)
    fade_in, fade_out = min(RATE // 20, length // 4), min(2 * RATE, length // 4)
    envelope[:fade_in] = np.linspace(0, 1, fade_in, dtype=np.float32)
    envelope[length - fade_out :] = np.linspace(1, 0, fade_out, dtype=np.float32)
    return envelope


def _sound(kind: str, note: Note) -> Samples:
    """Return one note of one layer at full loudness."""
    if note.layer == "drums":
        return _drum(note.pitch)
    if note.layer == "bass":
        return _plucked(note, (1.0, 0.5, 0.2), decay=2.5)
    if note.layer == "vocals":
        return _sung(note) if kind == "song" else _plucked(note, (1.0, 0.25, 0.35, 0.1), decay=3.5)
    return _held(note) if kind == "song" else _plucked(note, (1.0, 0.45, 0.25, 0.12, 0.06), decay=4.0)


def _clock(seconds: float) -> Samples:
    return np.arange(round(seconds * RATE), dtype=np.float32) / np.float32(RATE)


def _frequency(pitch: int) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def _edges(samples: Samples, attack: float, release: float) -> Samples:
    """Soften both ends of a note, so that it neither clicks in nor clicks out."""
    rise, fall = (min(round(seconds * RATE), len(samples) // 2) for seconds in (attack, release))
    samples[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    samples[len(samples) - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)
    return samples


def _plucked(note: Note, harmonics: tuple[float, ...], decay: float) -> Samples:
    time, turn = _clock(note.seconds), 2 * np.pi * _frequency(note.pitch)
    total = np.zeros_like(time)
    for number, amount in enumerate(harmonics, start=1):
        total += (
            np.float32(amount) * np.sin(np.float32(turn * number) * time) * np.exp(-np.float32(decay * number) * time)
        )
    return _edges(total, 0.004, 0.03)


def _held(note: Note) -> Samples:
    """A soft chord tone: two voices a hair apart, slowly coming and going."""
    time, turn = _clock(note.seconds), 2 * np.pi * _frequency(note.pitch)
    total = np.zeros_like(time)
    for number, amount in ((1, 0.6), (2, 0.2), (3, 0.12)):
        for detune in (0.998, 1.002):
            total += np.float32(amount) * np.sin(np.float32(turn * number * detune) * time)
    return _edges(total, 0.12, 0.25)


def _sung(note: Note) -> Samples:
    """A voice-like tone: harmonics weighed by the formants of an open vowel, with some vibrato."""
    time, frequency = _clock(note.seconds * 0.95), _frequency(note.pitch)
    vibrato = 0.25 * np.sin(np.float32(2 * np.pi * 5.3) * time) * np.minimum(time * 3, 1)
    phase = (np.float32(2 * np.pi * frequency) * time + vibrato).astype(np.float32)
    total = np.zeros_like(time)
    for number in range(1, 9):
        height = frequency * number
        formants = np.exp(-(((height - 750) / 350) ** 2)) + 0.6 * np.exp(-(((height - 1250) / 400) ** 2))
        total += np.float32(formants + 0.25 / number) * np.sin(phase * np.float32(number))
    return _edges(total * np.float32(0.6), 0.05, 0.08)


def _drum(pitch: int) -> Samples:
    if pitch == KICK:
        time = _clock(0.25)
        sweep = np.float32(2 * np.pi) * (50 * time - np.float32(110 / 28) * np.exp(-28 * time))
        return _edges(np.sin(sweep) * np.exp(-12 * time), 0.002, 0.02)
    time = _clock(0.06 if pitch == HAT else 0.2)
    noise = np.random.default_rng(pitch).standard_normal(len(time)).astype(np.float32)
    if pitch == HAT:
        bright = np.diff(np.diff(noise, prepend=noise[:1]), prepend=np.float32(0))
        return _edges(np.float32(0.12) * bright * np.exp(-70 * time), 0.001, 0.01)
    body = np.sin(np.float32(2 * np.pi * 190) * time) * np.exp(-22 * time)
    return _edges(np.float32(0.3) * noise * np.exp(-18 * time) + np.float32(0.5) * body, 0.001, 0.02)
