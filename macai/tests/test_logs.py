"""Logs: one line per request and per event, for people or for programs, with an id that stays, and without a secret."""

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.test import Client

from accounts.tests.factories import make_user, signed_in
from macai import logs
from macai.secrets import MASK, Masking
from songs.tests.factories import make_api_client

KEY = "sk-live-Abc123def456ghi789"
PASSWORD = "p@ss/w0rd-of-the-database"


def line(*, is_json: bool = True, secrets: tuple[str, ...] = (), level: int = logging.INFO, **more: Any) -> str:
    """Return a line as it would be written, for a record of the standard library."""
    options = logs.formatter(is_json=is_json, secrets=secrets)
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=options["processors"], foreign_pre_chain=options["foreign_pre_chain"]
    )
    record = logging.LogRecord(
        "a.logger", level, __file__, 1, more.pop("msg"), more.pop("args", ()), more.pop("exc", None)
    )
    return formatter.format(record)


HOSTILE: dict[str, tuple[str, str]] = {
    "a bearer": (f"Authorization: Bearer {KEY}", KEY),
    "a bearer in other words": ("sent bearer abcdef123456", "abcdef123456"),
    "our own token": ("Authorization: Token macai_0123456789abcdef", "macai_0123456789abcdef"),
    "our own token alone": ("got macai_0123456789abcdef there", "0123456789abcdef"),
    "a header as Python shows it": ("{'Authorization': 'Token deadbeefdeadbeef'}", "deadbeef"),
    "a basic password": ("Authorization: Basic YWRhOnNlY3JldA==", "YWRhOnNlY3JldA"),
    "a key by its shape": (f"Incorrect API key provided: {KEY}.", KEY),
    "a database": ("connect to postgres://macai:hunter22@db:5432/macai failed", "hunter22"),
    "a database with an @ in its password": ("postgres://macai:hun@ter22@db/macai", "ter22"),
    "a Redis without a name": ("redis://:hunter22@redis:6379/0", "hunter22"),
    "a form": ("username=ada&password=hunter22&next=/", "hunter22"),
    "an address": ("GET /feed/?token=hunter2222&page=2", "hunter2222"),
    "JSON": ('{"api_key": "hunter2222", "n": 1}', "hunter2222"),
    "JSON with spaces inside": ('{"password": "hunter 22 22"}', "hunter 22"),
    "a Python repr": ("{'client_secret': 'hunter2222'}", "hunter2222"),
    "a cookie": ("Cookie: sessionid=abcdef123456; csrftoken=fedcba654321", "fedcba654321"),
    "a web token": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIi"),
    "a private key": ("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----", "MIIEvQIBADANBg"),
    "a cut private key": ("-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBg", "MIIEvQIBADANBg"),
    "a backup's key": ("AGE-SECRET-KEY-1QQPQ0N6RDDT", "1QQPQ0N6RDDT"),
    "what the settings know": (f"whatever {PASSWORD} stands in", PASSWORD),
}


@pytest.mark.parametrize("is_json", [True, False], ids=["json", "text"])
@pytest.mark.parametrize("case", HOSTILE)
def test_a_secret_is_masked_wherever_it_stands(case: str, is_json: bool) -> None:
    text, secret = HOSTILE[case]
    error = ValueError(text)
    written = line(
        is_json=is_json,
        secrets=(PASSWORD, "mock"),
        msg="It broke: %s",
        args=(text,),
        exc=(ValueError, error, None),
    )
    assert secret not in written
    assert "ValueError" in written
    assert MASK in written


@pytest.mark.parametrize(
    "text",
    [
        "max_tokens: 50, 12 tokens/s", "The key of the song is C", "basic blues, mock", "http://127.0.0.1:5050/songs/",
        "A token expired yesterday", "songs.Song 6f1c2c4e-0000-4000-8000-000000000000 ended", "me@home.example",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert json.loads(line(msg=text, secrets=("mock",)))["event"] == text


def test_values_are_masked_by_their_name_and_however_deep_they_lie() -> None:
    masked = Masking([])(None, "", {
        "event": "x", "MUREKA_API_KEY": "short", "DATABASE_URL": "anything", "task_id": "kept", "count": 3,
        "headers": {"Authorization": "abc", "Accept": ["a", {"password": "b"}]},
        "raw": b"password=hunter22", "error": ValueError(KEY),
        "nested": [[[[[[[[{"password": "hunter22"}]]]]]]]],
    })  # fmt: skip
    assert masked["MUREKA_API_KEY"] == masked["DATABASE_URL"] == MASK
    assert masked["headers"] == {"Authorization": MASK, "Accept": ["a", {"password": MASK}]}
    assert (masked["task_id"], masked["count"]) == ("kept", 3)
    assert KEY not in masked["error"]
    assert "hunter22" not in str(masked)


def test_json_is_one_line_whatever_is_logged() -> None:
    written = line(msg="two\nlines %s", args=({"a": object()},))
    found = json.loads(written)
    assert "\n" not in written
    assert (found["level"], found["logger"]) == ("info", "a.logger")
    assert found["time"].endswith("Z")


def test_text_is_for_people() -> None:
    written = line(is_json=False, msg="The worker is killed: %s.", args=("it slept",), level=logging.ERROR)
    assert "[error" in written
    assert "The worker is killed: it slept." in written


# --- Requests -------------------------------------------------------------------------------------------------------


def finished(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        record.msg for record in caplog.records if isinstance(record.msg, dict) and "request" in record.msg["event"]
    ]


@pytest.mark.django_db
def test_the_id_that_nginx_gives_stays_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        answer = signed_in().get("/", headers={"X-Request-ID": "4f1d0c2b9a8e7f60"})
    (told,) = finished(caplog)
    assert answer["X-Request-ID"] == told["request_id"] == "4f1d0c2b9a8e7f60"
    assert (told["event"], told["code"], told["request"], told["view"]) == ("request_finished", 200, "GET /", "home")
    assert told["ms"] >= 0
    assert told["user_id"]


@pytest.mark.parametrize(
    "given", ["", "short", "a b c d e f g h i", "x" * 65, "abcdefgh\x01", "../../etc/passwd", "{{1}}aaaaaa"]
)
def test_an_id_that_is_none_is_replaced(given: str) -> None:
    answer = Client().get("/api/v1/health/live/", headers={"X-Request-ID": given})
    assert len(answer["X-Request-ID"]) == 32
    assert given not in answer["X-Request-ID"] or not given


@pytest.mark.django_db
def test_a_program_is_known_by_its_token_and_a_stranger_costs_no_question(
    caplog: pytest.LogCaptureFixture, django_assert_num_queries: Any
) -> None:
    api = make_api_client()
    with caplog.at_level("INFO"):
        api.get("/api/v1/songs/")
        with django_assert_num_queries(0):
            Client().get("/api/v1/songs/")
    first, second = finished(caplog)
    assert first["user_id"]
    assert (second["code"], "user_id" in second) == (401, False)


@pytest.mark.django_db
def test_a_request_that_broke_is_told_once_with_its_trace(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: Any) -> None:
        raise RuntimeError("It broke.")

    monkeypatch.setattr("macai.views.worker_and_storage", break_down)
    client = signed_in()
    client.raise_request_exception = False
    with caplog.at_level("INFO"):
        assert client.get("/").status_code == 500
    traced = [record for record in caplog.records if record.exc_info]
    assert [record.msg["event"] for record in traced if isinstance(record.msg, dict)] == ["request_failed"]
    assert len(traced) == 1


def test_whoever_watches_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        Client().get("/api/v1/health/live/")
        Client().get("/api/v1/health/live/nothing")
    assert [told["code"] for told in finished(caplog)] == [401]


@pytest.mark.django_db
def test_no_line_of_a_request_holds_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    make_user()
    with caplog.at_level("DEBUG"):
        Client().post("/sign-in/", {"username": "ada", "password": "correct horse 7"})
        make_api_client().post("/api/v1/songs/", {"prompt": "a very private prompt", "lyrics": "x y z"})
    written = " ".join(str(record.msg) for record in caplog.records)
    assert "correct horse" not in written
    assert "very private prompt" not in written


@pytest.mark.django_db
def test_no_line_of_a_request_holds_what_stands_in_its_address(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: Any) -> None:
        raise RuntimeError("It broke.")

    client = signed_in()
    client.raise_request_exception = False
    with caplog.at_level("DEBUG"):
        assert client.get("/songs/new/?lyrics=my+private+lyrics").status_code == 200
        assert client.get("/none/?lyrics=my+private+lyrics").status_code == 404
        Client().get("/songs/new/?lyrics=my+private+lyrics")
        Client().post("/songs/new/?lyrics=my+private+lyrics")
        Client().get("/two%0alines/%3Fq")
        monkeypatch.setattr("macai.views.worker_and_storage", break_down)
        assert client.get("/?q=private").status_code == 500
    told = {(line["event"], line["request"]) for line in finished(caplog) if "request" in line}
    assert {("request_started", "GET /songs/new/"), ("request_finished", "GET /songs/new/")} <= told
    assert {("request_failed", "GET /"), ("request_finished", "GET /two%0Alines/%3Fq")} <= told
    assert "private" not in caplog.text


# --- Files ----------------------------------------------------------------------------------------------------------


def test_a_log_file_is_renamed_when_it_has_grown_and_no_line_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 20_000)
    monkeypatch.setattr(logs, "FILES_KEPT", 9)
    path = tmp_path / "logs" / "macai.log"

    def write(writer: int) -> None:
        handler = logs.SharedFileHandler(str(path))  # one each, as processes have
        for number in range(500):
            handler.emit(logging.LogRecord("a", 20, "", 1, f"{writer}-{number:04d} {'x' * 60}", (), None))
        handler.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = [file for file in path.parent.iterdir() if file.suffix != ".lock"]
    lines = [text[:6] for file in files for text in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"{writer}-{number:04d}" for writer in range(4) for number in range(500))
    assert len(files) > 3


def test_a_command_whose_output_is_piped_on_does_not_log_into_it() -> None:
    assert not logs.is_service(["manage.py", "dumpdata"])
    assert logs.is_service(["manage.py", "worker"])
    assert logs.is_service(["/x/gunicorn/__main__.py", "-c", "python:macai.web"])


def test_production_logs_json_and_home_logs_text_into_a_file_too(tmp_path: Path) -> None:
    script = "import logging; logging.getLogger('a').info('hello'); logging.getLogger('a').warning('careful')"
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"ENV_FILE": os.devnull}
    production = {"DEBUG": "false", "SECRET_KEY": "a-key-of-more-than-fifty-characters-0123456789-abcdefgh-xyz",
                  "ALLOWED_HOSTS": "a.example"}  # fmt: skip
    written = {}
    for name, more in (("production", production), ("home", {})):
        environment = base | {"DATA_DIR": str(tmp_path / name)} | more
        command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", script]
        root = Path(__file__).parent.parent.parent
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        written[name] = done.stderr.splitlines()
    assert [json.loads(one)["event"] for one in written["production"]] == ["hello", "careful"]
    assert not (tmp_path / "production" / "logs").exists()
    assert len(written["home"]) == 1
    assert "careful" in written["home"][0]
    assert "hello" in (tmp_path / "home" / "logs" / "macai.log").read_text()
