"""What Ollama is asked, how its texts are read piece by piece, and that its lists are read without harm."""

import json
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers import ollama
from providers.errors import ProviderError, Verdict
from providers.ollama import Finish, Message, Options, Piece, Stream
from providers.tests.stub import Stub, answer

LAST = {"model": "m", "done": True, "done_reason": "stop"}
COUNTS = {
    "total_duration": 2_500_000_000,
    "load_duration": 1_000_000_000,
    "prompt_eval_count": 7,
    "prompt_eval_duration": 100,
    "eval_count": 42,
    "eval_duration": 500_000_000,
}
MODELS: dict[str, Any] = {
    "models": [
        {
            "name": "qwen3:8b",
            "size": 5_225_388_164,
            "details": {
                "family": "qwen3",
                "parameter_size": "8.2B",
                "quantization_level": "Q4_K_M",
                "context_length": 40_960,
            },
            "capabilities": ["completion", "thinking"],
        },
        {"model": "llama3.2:latest"},
    ]
}


@pytest.fixture
def ollama_stub(stub: Stub, settings: Settings) -> Stub:
    settings.OLLAMA_BASE_URL = stub.url
    settings.OLLAMA_MODEL = ""
    stub.behaviour = answer(200, lines(LAST))
    return stub


def lines(*objects: object) -> str:
    return "".join(json.dumps(item) + "\n" for item in objects)


def sent(stub: Stub) -> tuple[str, dict[str, Any]]:
    head, body = stub.requests[-1]
    return " ".join(head.split(" ")[:2]), json.loads(body)


def read(stream: Stream) -> list[Piece | Finish]:
    return [piece for piece in stream if piece != Piece()]


def test_a_text_is_asked_for_with_what_was_said_and_nothing_else(ollama_stub: Stub) -> None:
    read(ollama.generate("the sea", model="llama3.2"))
    assert sent(ollama_stub) == (
        "POST /api/generate",
        {"model": "llama3.2", "prompt": "the sea", "stream": True},
    )
    assert "Authorization" not in ollama_stub.requests[0][0]
    options = Options(temperature=0.0, max_tokens=100, context_tokens=8192, seed=0, stop=("###",))
    read(ollama.generate("the sea", model="qwen3", system="be brief", options=options, think=False))
    assert sent(ollama_stub)[1] == {
        "model": "qwen3",
        "prompt": "the sea",
        "system": "be brief",
        "think": False,
        "stream": True,
        "options": {"temperature": 0.0, "num_predict": 100, "num_ctx": 8192, "seed": 0, "stop": ["###"]},
    }


def test_a_conversation_is_sent_in_its_order(ollama_stub: Stub) -> None:
    told = [
        Message("system", "be brief"),
        Message("user", "hello"),
        Message("assistant", "yes?"),
        Message("user", "so"),
    ]
    read(ollama.chat(told, model="llama3.2", think="low"))
    path, body = sent(ollama_stub)
    assert path == "POST /api/chat"
    assert [(message["role"], message["content"]) for message in body["messages"]] == [
        ("system", "be brief"),
        ("user", "hello"),
        ("assistant", "yes?"),
        ("user", "so"),
    ]
    assert (body["think"], body["stream"]) == ("low", True)


def test_a_generated_text_comes_in_pieces_and_ends_with_its_counts(ollama_stub: Stub) -> None:
    first, second = {"response": "The", "done": False}, {"response": " sea", "done": False}
    ollama_stub.behaviour = answer(200, lines(first, second, {"response": "", "context": [1, 2], **LAST, **COUNTS}))
    *pieces, finish = read(ollama.generate("x", model="m"))
    assert pieces == [Piece("The"), Piece(" sea")]
    assert finish == Finish("stop", "m", 7, 42, 2.5, 1.0, 0.5)
    assert finish.tokens_per_second == 84.0


def test_a_chat_thinks_and_then_speaks(ollama_stub: Stub) -> None:
    thought, spoken = {"content": "", "thinking": "Hm"}, {"content": "Yes."}
    ollama_stub.behaviour = answer(200, lines({"message": thought}, {"message": spoken}, {"message": {}, **LAST}))
    assert read(ollama.chat([Message("user", "x")], model="m")) == [
        Piece(thinking="Hm"),
        Piece("Yes."),
        Finish("stop", "m"),
    ]


def test_a_model_that_only_thought_ends_without_a_text(ollama_stub: Stub) -> None:
    ollama_stub.behaviour = answer(200, lines({"thinking": "Hm"}, LAST | {"done_reason": "length", "eval_count": 1}))
    thought, finish = read(ollama.generate("x", model="m"))
    assert thought == Piece(thinking="Hm")
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.tokens) == ("length", 1)


def test_counts_may_be_missing_or_nonsense(ollama_stub: Stub) -> None:
    for counts in ({}, dict.fromkeys(COUNTS, "x"), dict.fromkeys(COUNTS, -1), dict.fromkeys(COUNTS, True)):
        ollama_stub.behaviour = answer(200, lines(LAST | counts))
        [finish] = read(ollama.generate("x", model="m"))
        assert finish == Finish("stop", "m")
        assert finish.tokens_per_second is None


def test_one_object_with_the_whole_text_is_a_stream_too(ollama_stub: Stub) -> None:
    ollama_stub.behaviour = answer(200, json.dumps({"response": "All of it"} | LAST))
    assert read(ollama.generate("x", model="m")) == [Piece("All of it"), Finish("stop", "m")]


def test_what_comes_is_fit_for_every_database(ollama_stub: Stub) -> None:
    ollama_stub.behaviour = answer(200, '{"response": "a\\u0000b\\ud83d"}\r\n\n' + lines(LAST))
    assert read(ollama.generate("x", model="m"))[0] == Piece("ab?")


def test_letters_cut_by_the_network_are_put_together(ollama_stub: Stub) -> None:
    content = json.dumps({"response": "Lübeck 🎵"} | LAST, ensure_ascii=False).encode() + b"\n"

    def one_by_one(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(content)).encode() + b"\r\n\r\n")
        for index in range(len(content)):
            connection.sendall(content[index : index + 1])

    ollama_stub.behaviour = one_by_one
    assert read(ollama.generate("x", model="m"))[0] == Piece("Lübeck 🎵")


class Waiting:
    """A behaviour that says nothing, or only a first word, until the client has gone, and knows when that was."""

    def __init__(self, begin: bytes = b"") -> None:
        self.begin = begin
        self.is_asked = threading.Event()
        self.has_gone = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        connection.sendall(self.begin)
        self.is_asked.set()
        connection.settimeout(10)
        with suppress(ConnectionError):
            assert connection.recv(1) == b""
        self.has_gone.set()


CHUNK = json.dumps({"response": "The"}).encode() + b"\n"
BEGUN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(CHUNK), CHUNK)


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", BEGUN])
def test_silence_is_told_and_closing_hangs_up_at_once(ollama_stub: Stub, begin: bytes) -> None:
    ollama_stub.behaviour = waiting = Waiting(begin)
    stream = ollama.generate("x", model="m")
    pieces = [next(stream) for _piece in range(2)]
    assert pieces[-1] == Piece()
    assert not waiting.has_gone.is_set()
    stream.close()
    assert waiting.has_gone.wait(5)


def test_a_text_that_nobody_holds_any_more_is_given_up(ollama_stub: Stub) -> None:
    ollama_stub.behaviour = waiting = Waiting(BEGUN)
    stream = ollama.generate("x", model="m")
    next(stream)
    del stream
    assert waiting.has_gone.wait(5)


def test_nothing_is_asked_before_the_first_piece_is_wanted(ollama_stub: Stub) -> None:
    ollama.generate("x", model="m").close()
    time.sleep(0.05)
    assert ollama_stub.connections == 0


# --- What there is ---


def test_models_are_listed_with_what_is_known_of_them(ollama_stub: Stub) -> None:
    def tags_or_ps(connection: socket.socket) -> None:
        asked = ollama_stub.requests[-1][0].split(" ")[1]
        loaded: dict[str, Any] = {"models": [{"name": "qwen3:8b"}]}
        answer(200, MODELS if asked == "/api/tags" else loaded)(connection)

    ollama_stub.behaviour = tags_or_ps
    qwen, llama = ollama.list_models()
    assert (qwen.name, qwen.size_bytes, qwen.family, qwen.parameter_size, qwen.quantization) == (
        "qwen3:8b",
        5_225_388_164,
        "qwen3",
        "8.2B",
        "Q4_K_M",
    )
    assert (qwen.context_tokens, qwen.capabilities, qwen.is_loaded) == (40_960, ("completion", "thinking"), True)
    assert (llama.name, llama.size_bytes, llama.context_tokens, llama.is_loaded) == ("llama3.2:latest", 0, None, False)
    assert qwen.writes
    assert llama.writes


def test_models_are_listed_where_nobody_knows_which_are_loaded(ollama_stub: Stub) -> None:
    def only_tags(connection: socket.socket) -> None:
        is_tags = "/api/tags" in ollama_stub.requests[-1][0]
        answer(200 if is_tags else 404, MODELS if is_tags else "404 page not found")(connection)

    ollama_stub.behaviour = only_tags
    assert [model.is_loaded for model in ollama.list_models()] == [False, False]


@pytest.mark.parametrize(
    "models", [[], None, [1, None, "x", {}, {"name": ""}, {"name": 5}, {"name": [], "details": "x"}]]
)
def test_a_list_without_models_is_empty(ollama_stub: Stub, models: Any) -> None:
    ollama_stub.behaviour = answer(200, {"models": models})
    assert ollama.list_models() == []


def test_fields_of_a_wrong_type_cost_only_themselves(ollama_stub: Stub) -> None:
    broken = {"name": "m", "size": "big", "details": [1], "capabilities": [1, "completion", None]}
    ollama_stub.behaviour = answer(200, {"models": [broken]})
    [model] = ollama.list_models()
    assert (model.size_bytes, model.family, model.capabilities, model.is_loaded) == (0, "", ("completion",), True)


@pytest.mark.parametrize("body", ["{}", '{"models": "x"}', "[]", "Ollama is running"])
def test_an_answer_without_a_list_is_a_failure(ollama_stub: Stub, body: str) -> None:
    ollama_stub.behaviour = answer(200, body)
    with pytest.raises(ProviderError, match="cannot be read"):
        ollama.list_models()


def test_a_model_is_shown(ollama_stub: Stub) -> None:
    told: dict[str, object] = {
        "details": {"family": "qwen3", "parameter_size": "8.2B"},
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
        "capabilities": ["completion", "thinking"],
        "system": "be kind",
        "template": "{{ .Prompt }}",
    }
    ollama_stub.behaviour = answer(200, told)
    details = ollama.show("qwen3:8b")
    assert sent(ollama_stub) == ("POST /api/show", {"model": "qwen3:8b"})
    assert (details.context_tokens, details.family, details.system, details.thinks) == (
        40_960,
        "qwen3",
        "be kind",
        True,
    )
    ollama_stub.behaviour = answer(200, {"details": None, "model_info": [], "capabilities": "x"})
    details = ollama.show("qwen3:8b")
    assert (details.name, details.context_tokens, details.capabilities) == ("qwen3:8b", None, ())


def test_the_version_is_told(ollama_stub: Stub) -> None:
    ollama_stub.behaviour = answer(200, {"version": "0.33.0"})
    assert ollama.version() == "0.33.0"
    ollama_stub.behaviour = answer(200, {"version": 33})
    with pytest.raises(ProviderError, match="cannot be read"):
        ollama.version()


def test_the_default_model_is_the_setting_or_the_first_that_writes(
    ollama_stub: Stub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_numbers = {"name": "nomic-embed-text", "capabilities": ["embedding"]}
    ollama_stub.behaviour = answer(200, {"models": [only_numbers, *MODELS["models"]]})
    assert [ollama.default_model(), ollama.default_model()] == ["qwen3:8b", "qwen3:8b"]
    assert len(ollama_stub.requests) == 1  # it is remembered for a while
    monkeypatch.setattr(ollama, "_found_first", {})
    ollama_stub.behaviour = answer(200, {"models": [only_numbers]})
    with pytest.raises(ProviderError, match=r"ollama pull llama3\.2") as caught:
        ollama.default_model()
    assert caught.value.verdict is Verdict.REFUSED
    settings.OLLAMA_MODEL = "mine"
    assert ollama.default_model() == "mine"


def test_it_knows_whether_it_is_the_mock(settings: Settings) -> None:
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:5050/mock/ollama"
    assert ollama.is_mock()
    settings.OLLAMA_BASE_URL = "http://127.0.0.1:11434"
    assert not ollama.is_mock()


# --- Against the mock, over a real connection ---


@pytest.fixture
def mock(live_server: LiveServer, settings: Settings, transactional_db: None) -> None:
    settings.OLLAMA_BASE_URL = f"{live_server.url}/mock/ollama"
    settings.MOCKAPI_OLLAMA_WORDS_PER_SECOND = 0


@pytest.mark.usefixtures("mock")
def test_the_mock_is_read_from_its_first_word_to_its_counts() -> None:
    *pieces, finish = read(ollama.generate("hello", model="qwen3:8b"))
    assert all(isinstance(piece, Piece) for piece in pieces)
    assert "".join(piece.text for piece in pieces if isinstance(piece, Piece)).startswith("Hello!")
    assert "".join(piece.thinking for piece in pieces if isinstance(piece, Piece)).startswith("The user wants")
    assert isinstance(finish, Finish)
    assert finish.reason == "stop"
    assert finish.tokens_per_second
    assert [model.name for model in ollama.list_models() if model.is_loaded] == ["qwen3:8b"]
    assert ollama.default_model() == "llama3.2:latest"
    assert ollama.show("qwen3:8b").thinks


@pytest.mark.usefixtures("mock")
@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0002", "ollama signin"),
        ("0003", 'Ollama broke off: "model runner has unexpectedly stopped'),
        ("0005", "cannot be read"),
        ("0006", "Ollama is busy with other texts."),
        ("0008", "Ollama stopped in the middle of the text, without saying why."),
        ("0009", "The connection to Ollama broke before its answer was complete."),
        ("0010", "Get it with “ollama pull llama3.2”"),
    ],
)
def test_each_scenario_of_the_mock_is_told_in_plain_words(number: str, words: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read(ollama.chat([Message("user", f"{number} hello")], model="llama3.2"))
    assert words in caught.value.message


@pytest.mark.usefixtures("mock")
def test_the_mocks_thinking_without_end_has_no_text() -> None:
    *pieces, finish = read(ollama.generate("0007 hello", model="qwen3:8b", options=Options(max_tokens=20)))
    assert not any(piece.text for piece in pieces if isinstance(piece, Piece))
    assert isinstance(finish, Finish)
    assert (finish.reason, finish.tokens) == ("length", 20)
