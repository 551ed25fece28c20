"""The official client against the mock, over real connections: nothing but its host is changed."""

import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
import requests
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from mockapi import waiting

pytestmark = pytest.mark.django_db(transaction=True)
MODEL = "llama3.2"
HELLO = "Hello! What are we making today: a picture, a song, or a few good words?"
METRICS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


@pytest.fixture
def url(live_server: LiveServer, settings: Settings) -> str:
    settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND = 0
    return f"{live_server.url}/mock/ollama"


@pytest.fixture
def client(url: str) -> Iterator[ollama.Client]:
    it = ollama.Client(host=url, timeout=10)
    yield it
    it._client.close()


def messages(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def generated(client: ollama.Client, prompt: str, **options: Any) -> list[ollama.GenerateResponse]:
    return list(client.generate(options.pop("model", MODEL), prompt, stream=True, **options))


def test_it_lists_its_models_and_tells_of_one(client: ollama.Client) -> None:
    models = {model.model: model for model in client.list().models}
    assert next(iter(models)) == "llama3.2:latest"
    details = models["qwen3:8b"].details
    assert details is not None
    assert (details.parameter_size, details.quantization_level, details.format) == ("8.2B", "Q4_K_M", "gguf")
    shown = client.show("qwen3:8b")
    assert shown.capabilities == ["completion", "tools", "thinking"]
    assert shown.modelinfo is not None
    assert shown.modelinfo["qwen3.context_length"] == 40_960


def test_a_whole_text_comes_with_its_counts(client: ollama.Client) -> None:
    answer = client.generate(model=MODEL, prompt="hello")
    assert (answer.response, answer.done, answer.done_reason, answer.model) == (HELLO, True, "stop", MODEL)
    assert all(getattr(answer, name) for name in METRICS)
    assert answer.eval_count == len(HELLO.split())
    assert answer.context


def test_a_stream_gives_the_same_text_word_by_word(client: ollama.Client) -> None:
    *pieces, last = generated(client, "hello")
    assert "".join(piece.response or "" for piece in pieces) == HELLO
    assert [piece.response for piece in pieces[:2]] == ["Hello!", " What"]
    assert not any(piece.done for piece in pieces)
    assert (last.response, last.done, last.done_reason) == ("", True, "stop")
    assert all(getattr(last, name) for name in METRICS)


def test_a_conversation_is_answered_whole_and_streamed(client: ollama.Client) -> None:
    whole = client.chat(model=MODEL, messages=messages("hello"))
    assert (whole.message.role, whole.message.content, whole.done_reason) == ("assistant", HELLO, "stop")
    *pieces, last = client.chat(model=MODEL, messages=messages("hello"), stream=True)
    assert "".join(piece.message.content or "" for piece in pieces) == HELLO
    assert (last.message.content, last.done) == ("", True)


def test_a_model_is_loaded_by_use_and_unloaded_on_request(client: ollama.Client) -> None:
    assert client.ps().models == []
    loaded = client.generate(model=MODEL, prompt="")
    assert (loaded.response, loaded.done, loaded.done_reason) == ("", True, "load")
    [running] = client.ps().models
    assert (running.model, running.size) == ("llama3.2:latest", running.size_vram)
    assert client.chat(model=MODEL, messages=[], keep_alive=0).done_reason == "unload"
    assert client.ps().models == []
    client.generate(model=MODEL, prompt="hello", keep_alive="10m")
    assert len(client.ps().models) == 1
    client.generate(model=MODEL, prompt="hello", keep_alive=0)
    assert client.ps().models == []


def test_a_thinking_model_thinks_unless_told_not_to(client: ollama.Client) -> None:
    thinking = client.chat(model="qwen3:8b", messages=messages("hello"))
    assert (thinking.message.content, (thinking.message.thinking or "")[:15]) == (HELLO, "The user wants ")
    assert client.chat(model="qwen3:8b", messages=messages("hello"), think=False).message.thinking is None
    pieces = generated(client, "hello", model="qwen3:8b")
    assert pieces[0].thinking == "The"
    with pytest.raises(ollama.ResponseError, match=r'"llama3\.2:latest" does not support thinking') as caught:
        client.chat(model=MODEL, messages=messages("hello"), think=True)
    assert caught.value.status_code == 400


def test_a_cold_model_loads_before_its_first_word(client: ollama.Client) -> None:
    cold = client.generate(model="gemma3:27b", prompt="hello 1s")
    warm = client.generate(model="gemma3:27b", prompt="hello 1s")
    assert cold.load_duration is not None
    assert warm.load_duration is not None
    assert cold.load_duration >= 1_000_000_000 > warm.load_duration
    assert cold.total_duration is not None
    assert cold.total_duration >= 1_000_000_000


def test_a_missing_model_is_404(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="model 'nothing' not found") as caught:
        client.chat(model="nothing", messages=messages("hello"))
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="model 'nothing' not found") as caught:
        generated(client, "hello", model="nothing")
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="not found"):
        client.show("nothing")


def test_options_are_honoured(client: ollama.Client) -> None:
    short = client.generate(model=MODEL, prompt="hello", options={"num_predict": 3})
    assert (short.response, short.done_reason, short.eval_count) == ("Hello! What are", "length", 3)
    stopped = client.generate(model=MODEL, prompt="hello", options={"stop": [" are", "today"]})
    assert stopped.response == "Hello! What"
    as_json = client.generate(model=MODEL, prompt="hello", format="json")
    assert json.loads(as_json.response or "") == {"text": HELLO}


def test_0001_works(client: ollama.Client) -> None:
    assert generated(client, "0001 a question")[-1].done_reason == "stop"


def test_0002_wants_a_sign_in(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="unauthorized") as caught:
        generated(client, "0002 hello")
    assert caught.value.status_code == 401


def broken_off(client: ollama.Client, prompt: str) -> tuple[int, Exception]:
    """Return how many pieces came, and what came then."""
    got = 0
    try:
        for _piece in client.generate(model=MODEL, prompt=prompt, stream=True):
            got += 1
    except (ollama.ResponseError, httpx.HTTPError) as error:
        return got, error
    pytest.fail("It did not break off.")


def test_0003_is_an_error_line_in_the_middle(client: ollama.Client) -> None:
    got, error = broken_off(client, "0003 hello")
    assert got > 5
    assert isinstance(error, ollama.ResponseError)
    assert error.error.startswith("model runner has unexpectedly stopped")
    assert error.status_code == -1


def test_0004_never_answers_and_lets_go_when_the_client_leaves(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "GLANCE_SECONDS", 0.05)
    left = threading.Event()
    wait = waiting.wait

    def watched(environ: dict[str, Any], seconds: float) -> None:
        wait(environ, seconds)
        left.set()

    monkeypatch.setattr(waiting, "wait", watched)
    impatient = ollama.Client(host=url, timeout=0.5)
    with pytest.raises(httpx.ReadTimeout):
        list(impatient.generate(model=MODEL, prompt="0004 hello", stream=True))
    impatient._client.close()
    assert left.wait(3)


def test_0005_is_a_line_that_is_no_json(client: ollama.Client) -> None:
    with pytest.raises(json.JSONDecodeError):
        generated(client, "0005 hello")


def test_0006_is_busy_twice(client: ollama.Client) -> None:
    for _time in range(2):
        with pytest.raises(ollama.ResponseError, match=r"server busy, please try again\.  maximum") as caught:
            generated(client, "0006 hello")
        assert caught.value.status_code == 503
    assert generated(client, "0006 hello")[-1].done


def test_0007_only_thinks(client: ollama.Client) -> None:
    *pieces, last = generated(client, "0007 hello", options={"num_predict": 50})
    assert (last.done_reason, last.eval_count, len(pieces)) == ("length", 50, 50)
    assert "".join(piece.response or "" for piece in pieces) == ""
    assert "".join(piece.thinking or "" for piece in pieces).startswith("The user wants")


def test_0008_ends_without_an_end(client: ollama.Client) -> None:
    pieces = generated(client, "0008 hello")
    assert len(pieces) > 5
    assert not any(piece.done for piece in pieces)


def test_0009_breaks_the_connection_in_the_middle(client: ollama.Client) -> None:
    got, error = broken_off(client, "0009 hello")
    assert got > 5
    assert isinstance(error, httpx.ReadError)


def test_0010_does_not_know_the_model(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match=r"model 'llama3\.2' not found"):
        generated(client, "0010 hello")


def test_a_scenario_is_found_within_a_template(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="server busy"):
        generated(client, "Translate this text into German.\n\n0006 the sea\n\nAnswer with the translation only.")


def test_curl_sees_the_documented_shapes(url: str, tmp_path: Path) -> None:
    body = json.dumps({"model": MODEL, "messages": messages("hello")})
    asked = ["curl", "-sN", "-D", str(tmp_path / "head"), f"{url}/api/chat", "-d", body]
    lines = subprocess.run(asked, capture_output=True, check=True, text=True).stdout.splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    assert list(first) == ["model", "created_at", "message", "done"]
    assert first["message"] == {"role": "assistant", "content": "Hello!"}
    assert {"done_reason", *METRICS} <= set(last)
    assert "content-type: application/x-ndjson" in (tmp_path / "head").read_text().lower()


def test_it_says_that_it_is_running(url: str) -> None:
    for address in (url, f"{url}/"):
        assert requests.get(address, timeout=5).text == "Ollama is running"
        assert requests.head(address, timeout=5).status_code == 200
    assert requests.get(f"{url}/api/version", timeout=5).json() == {"version": "0.33.0"}
    assert requests.head(f"{url}/api/tags", timeout=5).status_code == 200
    missing = requests.get(f"{url}/api/nothing", timeout=5)
    assert (missing.status_code, missing.text) == (404, "404 page not found")
    wrong = requests.get(f"{url}/api/chat", timeout=5)
    assert (wrong.status_code, wrong.text) == (405, "405 method not allowed")
