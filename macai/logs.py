"""Logs: every line of every library in one format, with the request and the job that it belongs to, and no secret."""

import fcntl
import logging
import os
import sys
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import structlog

from macai.secrets import Masking

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5
# Whoever watches the studio asks every few seconds. Such requests are told only if something is wrong.
WATCHERS = (
    "GET /api/v1/health/",
    "GET /metrics",
    "GET /status/checks/",
    "GET /mock/mureka/v1/account/billing",
    "GET /mock/openai/v1/models",
    "GET /mock/ollama/api/version",
)


class SharedFileHandler(WatchedFileHandler):
    """A log file that many processes write to, and that one of them at a time renames when it has grown too large."""

    def __init__(self, filename: str) -> None:
        Path(filename).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(filename, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        """Open the file, for its owner and group only."""
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        return open(descriptor, "a", encoding=self.encoding)  # noqa: PTH123  a descriptor; closed by the handler

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with suppress(OSError):
            if os.stat(self.baseFilename).st_size > FILE_BYTES:  # noqa: PTH116  a Path for every line is slow
                self.rotate()
        super().emit(record)  # which opens the file anew if it was renamed

    def rotate(self) -> None:
        """Rename the files, unless another process has just done it."""
        path = Path(self.baseFilename)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.stat().st_size <= FILE_BYTES:
                return
            for number in range(FILES_KEPT - 1, 0, -1):
                with suppress(FileNotFoundError):
                    Path(f"{path}.{number}").replace(f"{path}.{number + 1}")
            path.replace(f"{path}.1")


def is_service(arguments: list[str]) -> bool:
    """Tell whether this process serves, so that its output is its log; that of other commands may be piped on."""
    return "gunicorn" in arguments[0] or bool({"worker", "qcluster", "runserver"} & set(arguments[1:2]))


def without_watchers(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop the line of a request by which somebody only watches, if it was answered well."""
    is_watching = str(event.get("request", "")).startswith(WATCHERS)
    if event.get("event") == "request_finished" and is_watching and int(event.get("code", 500)) < 400:
        raise structlog.DropEvent
    return event


def as_text(event: Any) -> str:
    """Return anything as text, for JSON."""
    return str(event)


# What is added to every line, whoever wrote it.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
]


def configure_structlog() -> None:
    """Let structlog's loggers write through the standard library, where all other lines come from."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            without_watchers,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def formatter(*, is_json: bool, secrets: Iterable[str], has_colours: bool = False) -> dict[str, Any]:
    """Return a formatter as `logging.config.dictConfig` wants it."""
    time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")
    renderer: Any = structlog.processors.JSONRenderer(default=as_text, ensure_ascii=False)
    if not is_json:
        time = structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False)
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=has_colours, exception_formatter=plain, pad_event_to=0)
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            time,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.UnicodeDecoder(),
            Masking(secrets),
            renderer,
        ],
    }


def logging_settings(
    *, level: str, console_level: str, is_json: bool, file: Path | None, secrets: Iterable[str]
) -> dict[str, Any]:
    """Return Django's LOGGING: to the terminal, and to a file if there is one."""
    secrets = list(secrets)
    handlers: dict[str, Any] = {
        "console": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout" if is_service(sys.argv) else "ext://sys.stderr",
            "formatter": "console",
            "level": console_level,
        }
    }
    if file is not None:
        handlers["file"] = {"()": SharedFileHandler, "filename": str(file), "formatter": "file"}
    is_detailed = level == "DEBUG"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "console": formatter(is_json=is_json, secrets=secrets, has_colours=not is_json and sys.stdout.isatty()),
            "file": formatter(is_json=is_json, secrets=secrets),
        },
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": level},
        "loggers": {
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # Each request has one line of its own, with its trace if it broke (django-structlog).
            "django.request": {"level": "CRITICAL"},
            "django-q": {"level": "INFO" if is_detailed else "WARNING"},
            "gunicorn.error": {"handlers": [], "level": "INFO" if is_detailed else "WARNING", "propagate": True},
            # Says the same as the request's own line, and also tells of files: for a close look only.
            "gunicorn.access": {"handlers": [], "level": "INFO" if is_detailed else "WARNING", "propagate": True},
            "httpx2": {"level": "WARNING"},
            "urllib3": {"level": "INFO"},
        },
    }
