"""Nothing secret in any log: keys, tokens, passwords and addresses that hold them are masked wherever they stand."""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

MASK = "***"
SHORTEST = 8  # characters; a shorter "secret", such as "mock", is a word like any other
DEEPEST = 6  # levels of what is logged

SECRET_NAME = re.compile(
    r"(?i)passw|passphrase|secret|credential|authorization|cookie|session_?(id|key)|csrf|private_?key|api_?key"
    r"|(^|_|-)(token|key|dsn)$|(database|redis|email|webhook)_url$|_key$"
)
# What looks like a secret wherever it stands: (what is found, what stands there afterwards).
SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host; also with a password that has an @ in it
    (re.compile(r"\b([a-z][a-z0-9+.-]{1,20}://)[^\s/@:'\"]*:[^\s/'\"]*@", re.IGNORECASE), rf"\1{MASK}@"),
    (
        re.compile(r"(?i)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*)['\"]?(?:\w+\s+)?[^\s'\",;}]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n}]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"\bmacai_[A-Za-z0-9]{8,}"), MASK),
    (re.compile(r"(?i)\bsk-[A-Za-z0-9_-]{6,}"), MASK),
    (re.compile(r"\bAGE-SECRET-KEY-[A-Z0-9-]+", re.IGNORECASE), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),  # a JSON web token
    # password=..., "api_key": "...", X-Api-Key: ..., ?token=...
    (
        re.compile(
            r"(?i)([\w-]*(?:passw(?:or)?d|passphrase|secret|api[_-]?key|private[_-]?key|token|sessionid|csrf\w*)['\"]?"
            r"\s*(?:=|:|%3D)\s*)(\"[^\"]*\"|'[^']*'|[^\s'\"&,;}\]]+)"
        ),
        rf"\1{MASK}",
    ),
)


class Masking:
    """A processor of structlog that leaves no secret in an event. `secrets` are those that the settings know."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: Any, _name: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        """Mask an event."""
        return {name: self.masked(name, value) for name, value in event.items()}

    def masked(self, name: object, value: Any, depth: int = 0) -> Any:
        """Return the value as it may be shown under its name."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(name, str) and SECRET_NAME.search(name):
            return MASK
        if isinstance(value, Mapping) and depth < DEEPEST:
            return {self.text(str(key)): self.masked(key, item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
            return [self.masked("", item, depth + 1) for item in value]
        return self.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for shape, instead in SHAPES:
            text = shape.sub(instead, text)
        return text
