"""The mock's audio is real: audible, of the announced length, and different for every take."""

import base64
import io
import time
import zipfile
from pathlib import Path
from typing import Any

import mutagen
import numpy as np
import pytest
import soundfile
from django.test import Client
from pytest_django import Settings

from mockapi import audio, files
from mockapi.score import LAYERS, Piece, compose
from mockapi.stems import midi
from mockapi.tests.driving import Mureka, age, make_instrumental

TYPES = {"url": "audio/mpeg", "flac_url": "audio/flac", "wav_url": "audio/wav"}


def loudness(samples: Any) -> float:
    return float(np.sqrt((samples**2).mean()))


@pytest.mark.parametrize("kind", ["song", "instrumental"])
@pytest.mark.parametrize("seconds", [2, 12])
def test_every_format_is_audible_and_as_long_as_announced(
    mureka: Mureka, settings: Settings, kind: str, seconds: int
) -> None:
    settings.MOCKAPI_AUDIO_SECONDS = seconds
    answer = mureka.song() if kind == "song" else mureka.post("instrumental/generate", make_instrumental())
    for choice in mureka.query(answer["id"], kind)["choices"]:
        assert seconds * 1000 <= choice["duration"] <= seconds * 1000 + (2000 if seconds >= 10 else 0)
        for name, content_type in TYPES.items():
            response = Client().get(choice[name])
            assert response["Content-Type"] == content_type
            content = response.getvalue()
            assert int(response["Content-Length"]) == len(content)
            assert mutagen.File(io.BytesIO(content)).info.length * 1000 == pytest.approx(choice["duration"], abs=50)
            samples, rate = soundfile.read(io.BytesIO(content))
            assert len(samples) / rate * 1000 == pytest.approx(choice["duration"], abs=50)
            assert 0.05 < loudness(samples) < 0.5
            assert abs(samples).max() <= 1


def test_a_piece_is_music_and_not_noise() -> None:
    """Most of the energy lies in few frequencies, and both ends are silent."""
    samples = audio.mix(Piece("seed", "song", 12_000))
    spectrum = np.sort(np.abs(np.fft.rfft(samples)) ** 2)[::-1]
    assert spectrum[: len(spectrum) // 50].sum() > 0.9 * spectrum.sum()
    assert abs(samples[0]) < 0.001
    assert abs(samples[-1]) < 0.001


def test_takes_differ_and_one_take_is_always_the_same(mureka: Mureka) -> None:
    task_id = mureka.song(n=3)["id"]
    contents = [mureka.download(choice["wav_url"]) for choice in mureka.query(task_id)["choices"]]
    assert len(set(contents)) == 3
    piece = Piece("seed", "song", 3000)
    assert np.array_equal(audio.mix(piece), audio.mix(piece))


def test_thirty_seconds_render_in_well_under_a_second(tmp_path: Path) -> None:
    for extension in audio.FORMATS:
        started = time.thread_time()
        audio.write(audio.mix(Piece("seed", "song", 30_000)), tmp_path / "file", extension)
        assert time.thread_time() - started < 1


def test_a_lost_cache_is_rendered_again(mureka: Mureka, tmp_path: Path) -> None:
    url = mureka.query(mureka.song()["id"])["choices"][0]["flac_url"]
    before = mureka.download(url)
    (cached,) = (tmp_path / "mock").iterdir()
    cached.unlink()
    assert mureka.download(url) == before


def test_the_cache_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def produce(path: Path) -> None:
        path.write_bytes(b"music")

    monkeypatch.setattr(files, "CACHED_FILES", 3)
    for number in range(6):
        with files.open_cached(f"{number}.wav", produce) as file:
            assert file.read() == b"music"
    assert len(list((tmp_path / "mock").iterdir())) == 3


def test_a_render_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError

    with pytest.raises(OSError, match=r"^$"):
        files.open_cached("a.wav", fail)
    assert list((tmp_path / "mock").iterdir()) == []


def test_addresses_have_the_real_form_and_cannot_be_made_up(mureka: Mureka) -> None:
    url = mureka.query(mureka.song()["id"])["choices"][0]["url"]
    name = url.removeprefix("http://testserver/mock/mureka/files/song/")
    assert name[8:].startswith("/92945101357057-")
    token = url[-26:-4]
    assert len(token) == 22
    for wrong in (token[::-1], "A" * 22, token[:-2] + "zz"):
        mureka.download(url.replace(token, wrong), 404)
    mureka.download(url.replace("/song/", "/instrumental/"), 404)


def test_a_file_exists_only_once_its_task_has_succeeded(mureka: Mureka) -> None:
    task_id = mureka.song()["id"]
    url = mureka.query(task_id)["choices"][0]["url"]
    age(task_id, share=0.5)
    mureka.download(url, 404)


def test_stems_of_a_song_are_audible_and_add_up_to_it(mureka: Mureka) -> None:
    choice = mureka.query(mureka.song()["id"])["choices"][1]
    answer = mureka.post("song/stem", {"url": choice["url"]})
    assert set(answer) == {"zip_url", "expires_at", "midi_zip_url", "trace_id"}
    assert answer["midi_zip_url"] is None
    assert answer["expires_at"] > time.time() + 29 * 24 * 3600
    archive = zipfile.ZipFile(io.BytesIO(mureka.download(answer["zip_url"])))
    assert sorted(archive.namelist()) == ["bass.wav", "drums.wav", "other.wav", "vocals.wav"]
    stems = [soundfile.read(io.BytesIO(archive.read(name)))[0] for name in archive.namelist()]
    assert all(loudness(stem) > 0.01 for stem in stems)
    whole, _rate = soundfile.read(io.BytesIO(mureka.download(choice["wav_url"])))
    assert np.abs(sum(stems) - whole).max() < 0.001
    assert mureka.ledger()[-1]["cents"] == 6


def test_the_newer_separation_models_add_midi(mureka: Mureka) -> None:
    answer = mureka.post("song/stem", {"url": "https://example.com/a.mp3", "model": "audio-separation-3"})
    archive = zipfile.ZipFile(io.BytesIO(mureka.download(answer["zip_url"])))
    assert sorted(archive.namelist()) == ["accompaniment.wav", "vocals.wav"]
    archive = zipfile.ZipFile(io.BytesIO(mureka.download(answer["midi_zip_url"])))
    assert sorted(archive.namelist()) == ["bass.mid", "drums.mid", "other.mid", "vocals.mid"]
    assert all(archive.read(name).startswith(b"MThd") for name in archive.namelist())


def test_a_midi_file_holds_every_note_of_its_layer() -> None:
    piece = Piece("seed", "song", 10_000)
    for layer in LAYERS:
        starts = sum(note.layer == layer for note in compose(piece))
        assert starts
        data = midi(piece, layer)
        assert int.from_bytes(data[18:22], "big") == len(data) - 22
        assert len(data) - 22 - 4 >= starts * 8  # an on and an off: 3 bytes each and a time of at least 1


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/song.mp3",
        "data:audio/mp3;base64," + base64.b64encode(b"x" * 3_000_000).decode(),  # above Django's own body limit
    ],
)
def test_stems_are_made_of_https_addresses_and_data_uris(mureka: Mureka, url: str) -> None:
    answer = mureka.post("song/stem", {"url": url})
    assert zipfile.ZipFile(io.BytesIO(mureka.download(answer["zip_url"]))).testzip() is None


@pytest.mark.parametrize(
    "url",
    [
        None,
        "song.mp3",
        "http://example.com/song.mp3",
        "ftp://example.com/a.mp3",
        "data:audio/mp3;base64,%%%",
        "data:audio/mp3;base64,",
        "data:text/plain;base64,QUJD",
        "data:audio/mp3;base64," + "A" * 14_000_000,
        "http://testserver/mock/mureka/files/song/20261123/1-AAAAAAAAAAAAAAAAAAAAAA.mp3",
    ],
)
def test_stems_of_anything_else_are_refused(mureka: Mureka, url: str | None) -> None:
    mureka.post("song/stem", {"url": url}, 400)
    assert mureka.ledger() == []


def test_stems_are_made_of_mp3_only(mureka: Mureka) -> None:
    choice = mureka.query(mureka.song()["id"])["choices"][0]
    mureka.post("song/stem", {"url": choice["wav_url"]}, 400)
    mureka.post("song/stem", {"url": choice["url"], "model": "audio-separation-9"}, 400)
