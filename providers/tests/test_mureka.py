"""What is sent to Mureka, and that anything it may answer is read without harm."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from providers import mureka
from providers.errors import ProviderError, Verdict
from providers.tests.stub import Stub, answer

SECTION = {
    "section_type": "verse",
    "start": 1000,
    "end": 4000,
    "lines": [{"start": 1000, "end": 2000, "text": "La la", "words": [{"start": 1000, "end": 1500, "text": "La "}]}],
}
TASK: dict[str, Any] = {
    "id": "72013021249538",
    "created_at": 1757791339,
    "finished_at": 1757791401,
    "model": "mureka-7.5",
    "status": "succeeded",
    "choices": [
        {
            "id": "a",
            "url": "https://cdn.mureka.ai/cos-prod/open/song/20250913/1-a.mp3",
            "flac_url": "https://cdn.mureka.ai/cos-prod/open/song/20250913/1-a.flac",
            "wav_url": "https://cdn.mureka.ai/cos-prod/open/song/20250913/1-a.wav",
            "duration": 178120,
            "lyrics_sections": [{"section_type": "intro", "start": 0, "end": 1000}, SECTION],
        },
        {"index": 1, "id": "b", "url": "https://cdn.mureka.ai/b.mp3", "duration": 144520},
    ],
    "trace_id": "t",
}


def sent(stub: Stub) -> tuple[str, dict[str, Any]]:
    head, body = stub.requests[-1]
    return " ".join(head.split(" ")[:2]), json.loads(body or b"{}")


def test_a_song_is_submitted_with_documented_fields_only(mureka_stub: Stub) -> None:
    mureka_stub.behaviour = answer(200, {"id": "7", "status": "preparing", "model": "mureka-9"})
    task = mureka.generate_song(lyrics="La", prompt="", model="auto", n=2)
    assert sent(mureka_stub) == ("POST /v1/song/generate", {"lyrics": "La", "model": "auto", "n": 2})
    assert (task.id, task.status, task.model, task.choices) == ("7", "preparing", "mureka-9", ())
    assert not task.is_succeeded
    assert not task.is_failed
    mureka.generate_song(lyrics="La", prompt="pop", model="auto", n=1, gender="female")
    assert sent(mureka_stub)[1] == {"lyrics": "La", "prompt": "pop", "model": "auto", "n": 1, "gender": "female"}
    mureka.generate_instrumental(prompt="jazz", model="auto", n=3)
    assert sent(mureka_stub) == ("POST /v1/instrumental/generate", {"prompt": "jazz", "model": "auto", "n": 3})
    assert "Authorization: Bearer sk-secret-key-1" in mureka_stub.requests[0][0]


def test_a_finished_song_is_read_with_its_word_timed_lyrics(mureka_stub: Stub) -> None:
    mureka_stub.behaviour = answer(200, TASK)
    task = mureka.query_song(TASK["id"])
    assert sent(mureka_stub)[0] == "GET /v1/song/query/72013021249538"
    assert task.is_succeeded
    assert (task.created_at, task.finished_at, task.raw) == (1757791339, 1757791401, TASK)
    first, second = task.choices
    assert (first.id, first.index, first.duration) == ("a", 0, 178120)
    assert (first.mp3_url[-4:], first.flac_url[-5:], first.wav_url[-4:]) == (".mp3", ".flac", ".wav")
    assert first.lyrics_sections == TASK["choices"][0]["lyrics_sections"]
    intro, verse = first.sections
    assert intro == mureka.Section(kind="intro", start=0, end=1000, lines=())
    assert verse.lines[0].words == (mureka.Word(start=1000, end=1500, text="La "),)
    assert (second.index, second.flac_url, second.sections) == (1, "", ())
    mureka.query_instrumental(TASK["id"])
    assert sent(mureka_stub)[0] == "GET /v1/instrumental/query/72013021249538"


@pytest.mark.parametrize(("status", "is_failed"), [("failed", True), ("timeouted", True), ("cancelled", True)])
def test_failed_timeouted_and_cancelled_are_the_end(mureka_stub: Stub, status: str, *, is_failed: bool) -> None:
    mureka_stub.behaviour = answer(200, {"id": "1", "status": status, "failed_reason": "too loud"})
    task = mureka.query_song("1")
    assert (task.is_failed, task.is_succeeded, task.failed_reason) == (is_failed, False, "too loud")


@pytest.mark.parametrize("status", ["preparing", "queued", "running", "streaming", "reviewing", "never heard of"])
def test_every_other_status_is_followed(mureka_stub: Stub, status: str) -> None:
    mureka_stub.behaviour = answer(200, {"id": "1", "status": status})
    task = mureka.query_song("1")
    assert not task.is_failed
    assert not task.is_succeeded


WRONG: list[Any] = [None, "", 5, -1, 1.5, True, [], {}, [None], [[]], "text", 10**30, {"id": {}}, [{"lines": 3}]]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
def test_wrong_types_anywhere_do_no_harm(mureka_stub: Stub, wrong: Any) -> None:
    choice = TASK["choices"][0]
    answers = [TASK | {name: wrong} for name in TASK if name not in {"id", "status"}]
    answers += [TASK | {"choices": [choice | {name: wrong}]} for name in choice]
    answers += [TASK | {"choices": [choice | {"lyrics_sections": [SECTION | {name: wrong}]}]} for name in SECTION]
    answers += [TASK | {"choices": [choice | {"lyrics_sections": [{"lines": [{"words": wrong, "start": wrong}]}]}]}]
    for received in answers:
        mureka_stub.behaviour = answer(200, received)
        task = mureka.query_song(TASK["id"])
        for read in task.choices:
            assert isinstance(read.index, int)
            assert read.index >= 0
            assert all(isinstance(text, str) for text in (read.id, read.mp3_url, read.flac_url, read.wav_url))
            assert read.mp3_url.startswith("https://") or read.mp3_url == ""
            assert all(0 <= section.start <= section.end < 2**53 for section in read.sections)


def test_indexes_that_do_not_add_up_follow_the_order(mureka_stub: Stub) -> None:
    mureka_stub.behaviour = answer(200, TASK | {"choices": [{"id": "a"}, {"id": "b"}, {"id": "c"}]})
    assert [(one.id, one.index) for one in mureka.query_song(TASK["id"]).choices] == [("a", 0), ("b", 1), ("c", 2)]


CALLS: list[tuple[Callable[[], object], Verdict]] = [
    (lambda: mureka.generate_song(lyrics="La", prompt="pop", model="auto", n=1), Verdict.UNCERTAIN),
    (lambda: mureka.generate_instrumental(prompt="pop", model="auto", n=1), Verdict.UNCERTAIN),
    (lambda: mureka.separate_stems(url="https://x.example/a.mp3", model="audio-separation-2"), Verdict.UNCERTAIN),
    (lambda: mureka.generate_lyrics("love"), Verdict.UNCERTAIN),
    (lambda: mureka.query_song("1"), Verdict.LATER),
    (lambda: mureka.query_instrumental("1"), Verdict.LATER),
    (mureka.get_billing, Verdict.LATER),
]


@pytest.mark.parametrize(("call", "verdict"), CALLS)
@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": None}, {"id": [1]}, {"id": "x" * 300}, {"balance": "much"}])
def test_an_unusable_answer_is_uncertain_only_if_it_was_paid_for(
    mureka_stub: Stub, call: Callable[[], object], verdict: Verdict, body: dict[str, object]
) -> None:
    mureka_stub.behaviour = answer(200, body)
    with pytest.raises(ProviderError) as caught:
        call()
    assert (caught.value.verdict, caught.value.status) == (verdict, 200)
    assert caught.value.message == "Mureka gave an answer that cannot be read."


@pytest.mark.parametrize("body", [{"id": "2", "status": "failed"}, {"id": "1"}, {"id": "1", "status": 3}])
def test_the_answer_about_another_job_or_without_a_status_is_asked_for_again(
    mureka_stub: Stub, body: dict[str, object]
) -> None:
    mureka_stub.behaviour = answer(200, body)
    with pytest.raises(ProviderError) as caught:
        mureka.query_song("1")
    assert caught.value.verdict is Verdict.LATER


@pytest.mark.parametrize("query", [mureka.query_song, mureka.query_instrumental])
def test_a_proxy_that_says_no_does_not_end_a_song_that_is_paid_for(
    mureka_stub: Stub, query: Callable[[str], object]
) -> None:
    mureka_stub.behaviour = answer(407, "<html>Proxy Authentication Required</html>")
    with pytest.raises(ProviderError) as caught:
        query("1")
    assert caught.value.verdict is Verdict.LATER
    assert caught.value.message == "Mureka gives no answer at the moment (HTTP 407)."
    assert "Proxy" in caught.value.detail


@pytest.mark.parametrize("task_id", ["", "..", "1/../../account/billing", "1?x=1", "a b", "1\n", "é"])
def test_a_mistyped_job_number_never_becomes_another_address(mureka_stub: Stub, task_id: str) -> None:
    with pytest.raises(ProviderError) as caught:
        mureka.query_song(task_id)
    assert caught.value.verdict is Verdict.REFUSED
    assert mureka_stub.connections == 0


def test_stems_lyrics_and_billing_are_read(mureka_stub: Stub) -> None:
    mureka_stub.behaviour = answer(200, {"zip_url": "https://cdn.mureka.ai/s.zip", "trace_id": "t"})
    stems = mureka.separate_stems(url="https://cdn.mureka.ai/a.mp3", model="audio-separation-2")
    body = {"url": "https://cdn.mureka.ai/a.mp3", "model": "audio-separation-2"}
    assert sent(mureka_stub) == ("POST /v1/song/stem", body)
    assert (stems.zip_url, stems.midi_zip_url, stems.expires_at) == ("https://cdn.mureka.ai/s.zip", "", None)
    mureka_stub.behaviour = answer(200, {"title": "Love", "lyrics": "[Verse]\nLa"})
    assert mureka.generate_lyrics("love") == mureka.Lyrics(title="Love", lyrics="[Verse]\nLa")
    recorded = {"account_id": 92945101357057, "balance": 2544, "total_recharge": 3000, "total_spending": 456}
    mureka_stub.behaviour = answer(200, recorded | {"concurrent_request_limit": 5, "trace_id": "t"})
    assert mureka.get_billing() == mureka.Billing("92945101357057", 2544, 3000, 456, 5)
    mureka_stub.behaviour = answer(200, {"balance": 0})
    assert mureka.get_billing() == mureka.Billing("", 0, 0, 0, 1)


def test_files_come_from_the_listed_hosts_and_the_api_itself(settings: Settings) -> None:
    settings.MUREKA_FILE_HOSTS = ["CDN.mureka.ai"]
    for base, host in {
        "https://api.mureka.ai": "api.mureka.ai",
        "https://me.example:8443/x": "me.example:8443",
        "http://127.0.0.1:5050/mock/mureka": "127.0.0.1:5050",
        "http://mock/mureka": "mock:80",
        "http://[::1]:5050/mock/mureka": "[::1]:5050",
    }.items():
        settings.MUREKA_BASE_URL = base
        assert mureka.file_hosts() == {"cdn.mureka.ai", host}


def test_the_mock_is_known_and_gets_a_key_of_its_own(mureka_stub: Stub, settings: Settings) -> None:
    mureka_stub.behaviour = answer(200, {"balance": 1})
    assert not mureka.is_mock()
    settings.MUREKA_BASE_URL = f"{mureka_stub.url}/mock/mureka"
    assert mureka.is_mock()
    for own, mock, expected in (("", "", "mock"), ("", "mock-key", "mock-key"), ("mine", "mock-key", "mine")):
        settings.MUREKA_API_KEY, settings.MOCKAPI_KEY = own, mock
        mureka.get_billing()
        assert f"Authorization: Bearer {expected}" in mureka_stub.requests[-1][0].split("\r\n")
