"""Separating stems: the layers of the mock's own piece as WAV in a ZIP, and its notes as MIDI."""

import io
import struct
import zipfile
from pathlib import Path

from mockapi import audio
from mockapi.score import LAYERS, Piece, compose

# The WAV files of a ZIP, each the sum of layers; audio-separation-3 knows but two.
STEMS: dict[str, tuple[str, ...]] = {name: (name,) for name in LAYERS}
TWO_STEMS: dict[str, tuple[str, ...]] = {"vocals": ("vocals",), "accompaniment": ("drums", "bass", "other")}
TICKS_PER_SECOND = 960  # 480 ticks per quarter at the MIDI default of 120 quarters a minute


def write_stems(piece: Piece, model: str, path: Path) -> None:
    """Write the ZIP of audible WAV stems; stored, because noise does not compress."""
    layers = audio.render(piece)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, parts in (TWO_STEMS if model == "audio-separation-3" else STEMS).items():
            samples = layers[parts[0]].copy()
            for part in parts[1:]:
                samples += layers[part]
            wav = io.BytesIO()
            audio.write(samples, wav, "wav")
            archive.writestr(f"{name}.wav", wav.getvalue())


def write_midi(piece: Piece, path: Path) -> None:
    """Write the ZIP of MIDI files, one for each layer."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in LAYERS:
            archive.writestr(f"{name}.mid", midi(piece, name))


def midi(piece: Piece, layer: str) -> bytes:
    """Return one layer as a standard MIDI file (format 0); drums on channel 10."""
    channel = 9 if layer == "drums" else 0
    events: list[tuple[int, bytes]] = []
    for note in compose(piece):
        if note.layer == layer:
            start = round(note.start * TICKS_PER_SECOND)
            end = start + max(1, round(note.seconds * TICKS_PER_SECOND))
            events.append((start, bytes([0x90 | channel, note.pitch, round(note.loudness * 127)])))
            events.append((end, bytes([0x80 | channel, note.pitch, 0])))
    track, clock = b"", 0
    for at, message in sorted(events):  # 0x8_ sorts before 0x9_: a note ends before its repetition starts
        track += _variable_length(at - clock) + message
        clock = at
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable_length(value: int) -> bytes:
    encoded = bytes([value & 0x7F])
    while value := value >> 7:
        encoded = bytes([value & 0x7F | 0x80]) + encoded
    return encoded
