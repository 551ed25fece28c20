"""All of the studio's settings. Each environment variable is read and explained here, and listed in `.env.example`."""

import logging
import os
import re
import socket
import tempfile
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from macai import logs

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()


# --- The environment and .env ---------------------------------------------------------------------------------------


def read_dotenv(path: Path) -> None:
    """Load `path` beneath the real environment. A line that is not NAME=value is an error: it may hold a key."""
    if not path.exists():
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{path} cannot be read: {error}.") from error
    for number, line in enumerate(lines, start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#") and not re.match(r"(export\s+)?[A-Za-z_]\w*\s*=", stripped):
            raise ImproperlyConfigured(f"{path}, line {number} is not NAME=value.")
    env.read_env(path, overwrite=False)


def number(name: str, default: int, *, low: int, high: int) -> int:
    """Read a whole number within bounds, or say in one sentence what is wrong with it."""
    raw = env.str(name, default="") or str(default)
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}, not {value}.")
    return value


def switch(name: str, *, default: bool) -> bool:
    """Read true or false; a misspelt value is an error, never silently false."""
    raw = env.str(name, default="").strip().lower()
    if raw in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if raw == "" else raw in {"1", "true", "yes", "on"}
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}.")


secrets: list[str] = []  # all that were read, so that no log shows one


def secret(name: str) -> str:
    """Read a secret from NAME, or from the file that NAME_FILE names. Messages and logs never repeat it."""
    secrets.append(read_secret(name))
    return secrets[-1]


def read_secret(name: str) -> str:
    """Read NAME or NAME_FILE."""
    value, path = str(env.str(name, default="")), str(env.str(f"{name}_FILE", default=""))
    if not path:
        return value
    if value and value != path:  # docker-compose.yml has the path in both places: it cannot leave one out
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{name}_FILE {path} is not a text.") from None
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE {path} cannot be read: {error.strerror}.") from error
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE {path} is empty.")
    return value


def http_address(name: str, default: str) -> str:
    """Read a base address without its trailing slash."""
    value = (env.str(name, default="") or default).rstrip("/")
    if not re.match(r"https?://[^/\s]+", value):
        raise ImproperlyConfigured(f"{name} must start with http:// or https://, not {value!r}.")
    return value


def networks(name: str, default: list[str]) -> list[str]:
    """Read IP addresses and networks, separated by commas."""
    values = env.list(name, default=[]) or default
    for value in values:
        try:
            ip_network(value)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must be addresses or networks such as 10.0.0.0/8, not {value!r}."
            ) from None
    return values


def rate(name: str, default: str) -> tuple[int, int] | None:
    """Read how often something may be done, as a number and its span in seconds; None for "off"."""
    value = env.str(name, default="") or default
    spans = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
    found = re.fullmatch(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", value)
    if found is None and value != "off":
        raise ImproperlyConfigured(f"{name} must be like 20/minute, or off, not {value!r}.")
    return (int(found[1]), spans[found[2]]) if found else None


def is_address(value: str, *schemes: str) -> bool:
    """Tell whether `value` is an address of one of the schemes. Messages do not repeat it: it may hold a password."""
    try:
        _port = urlsplit(value).port
    except ValueError:  # not a number
        return False
    return value.partition("://")[0] in schemes and "://" in value


read_dotenv(Path(env.str("ENV_FILE", default=str(BASE_DIR / ".env"))))

# Secrets: SECRET_KEY, passwords, keys and addresses that hold a password may each come from a file instead, such as a
# Docker secret: SECRET_KEY_FILE=/run/secrets/secret_key.

# --- The installation -----------------------------------------------------------------------------------------------

# DEBUG: unset is the embedded default, which needs nothing else. true is for developers: Django's technical error
# pages, unhashed static files. false is production, which refuses unsafe defaults (macai/checks.py).
DEBUG = switch("DEBUG", default=False)
IS_PRODUCTION = not DEBUG and bool(env.str("DEBUG", default="").strip())

# PORT, HOST: where the web server listens.
PORT = number("PORT", 5050, low=1, high=65535)
HOST = env.str("HOST", default="") or "127.0.0.1"

# DATA_DIR: database, media, cache and logs of the embedded default.
DATA_DIR = Path(env.str("DATA_DIR", default="") or "var").expanduser()
DATA_DIR = DATA_DIR if DATA_DIR.is_absolute() else BASE_DIR / DATA_DIR
try:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    (DATA_DIR / ".writable").touch()
except OSError as error:
    raise ImproperlyConfigured(f"DATA_DIR {DATA_DIR} cannot be written: {error.strerror}.") from error


def secret_key() -> str:
    """The embedded default makes its own key once and keeps it, readable by its owner only."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        # Written beside it and linked: of two processes that start at once, both read the same whole key.
        with tempfile.NamedTemporaryFile("w", dir=DATA_DIR, encoding="ascii") as file:
            file.write(get_random_secret_key())
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_text(encoding="ascii").strip()


# SECRET_KEY: signs sessions and queued tasks. Made and kept in DATA_DIR by default; required in production.
SECRET_KEY = secret("SECRET_KEY") or ("" if IS_PRODUCTION else secret_key())
if not SECRET_KEY:
    raise ImproperlyConfigured("SECRET_KEY is required when DEBUG=false.")

# ALLOWED_HOSTS: the names under which the studio is reached, separated by commas.
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]", ".local", socket.gethostname().lower()]
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[] if IS_PRODUCTION else LOCAL_HOSTS)
# CSRF_TRUSTED_ORIGINS: addresses with scheme, for a studio behind a proxy.
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# HTTPS: true behind a proxy that ends TLS; cookies are then sent over TLS only. On by default in production.
HTTPS = switch("HTTPS", default=IS_PRODUCTION)

# WEB_PROCESSES, WEB_THREADS: gunicorn's processes and the threads of each. A text that is read as it is written
# takes a thread, but no database connection; any other request takes one, so all threads together must stay below what
# PostgreSQL allows (100 by default, of which the workers need ten; 250 in docker-compose.yml, for in an update there
# are twice as many).
WEB_PROCESSES = number("WEB_PROCESSES", 2, low=1, high=32)
WEB_THREADS = number("WEB_THREADS", 40, low=1, high=512)
# WORKERS: Django-Q processes. One follows every running job, the others bring files home.
WORKERS = number("WORKERS", 3, low=2, high=32)
# STOP_SECONDS: how long a stop waits for the worker, which may have a paid request in the air.
STOP_SECONDS = number("STOP_SECONDS", 130, low=1, high=3600)
# WEB_STOP_SECONDS: how long a stop waits for open requests.
WEB_STOP_SECONDS = number("WEB_STOP_SECONDS", 30, low=1, high=3600)
# WATCHDOG_SECONDS: a worker that has tasks but shows no life for this long is killed and started again.
WATCHDOG_SECONDS = number("WATCHDOG_SECONDS", 20, low=2, high=3600)

# DJANGO_SUPERUSER_USERNAME, DJANGO_SUPERUSER_PASSWORD, DJANGO_SUPERUSER_EMAIL: the owner's account, made at the start
# if there is no account yet. Without them, the first visit makes it.
DJANGO_SUPERUSER_USERNAME = env.str("DJANGO_SUPERUSER_USERNAME", default="")
DJANGO_SUPERUSER_PASSWORD = secret("DJANGO_SUPERUSER_PASSWORD")
DJANGO_SUPERUSER_EMAIL = env.str("DJANGO_SUPERUSER_EMAIL", default="")

# --- Watching -------------------------------------------------------------------------------------------------------

# MIN_FREE_DISK: MB; with less than this the studio is unwell, with less than three times this it warns.
MIN_FREE_DISK = number("MIN_FREE_DISK", 500, low=0, high=100_000_000)
# METRICS_TOKEN: whoever sends it as a bearer token may read /metrics; staff may always.
METRICS_TOKEN = secret("METRICS_TOKEN")
# ALERT_WEBHOOK_URL: gets a JSON message when something turns red, and when it is green again (docs/operations.md).
ALERT_WEBHOOK_URL = secret("ALERT_WEBHOOK_URL")
if ALERT_WEBHOOK_URL and not is_address(ALERT_WEBHOOK_URL, "http", "https"):
    raise ImproperlyConfigured("ALERT_WEBHOOK_URL must start with http:// or https://.")
# ALERT_EMAIL: addresses that get the same by e-mail, separated by commas. EMAIL_URL is then needed.
ALERT_EMAIL: list[str] = env.list("ALERT_EMAIL", default=[])
# ALERT_AFTER_SECONDS: how long something must be red before anybody is told: a restart is no alarm.
ALERT_AFTER_SECONDS = number("ALERT_AFTER_SECONDS", 30, low=0, high=86_400)
# EMAIL_URL: the mail server, such as smtp+tls://user:password@mail.example:587.
EMAIL_URL = secret("EMAIL_URL")
if EMAIL_URL and not is_address(EMAIL_URL, "smtp", "smtps", "smtp+tls", "smtp+ssl", "consolemail", "filemail"):
    raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.")
if ALERT_EMAIL and not EMAIL_URL:
    raise ImproperlyConfigured("ALERT_EMAIL needs EMAIL_URL, the mail server.")
vars().update(env.email_url_config(EMAIL_URL) if EMAIL_URL else {})
EMAIL_TIMEOUT = 10
# EMAIL_FROM: the sender of e-mails.
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="") or "macai@localhost"
# PUBLIC_URL: where people find the studio: alerts lead there, and it is an alert itself if it does not answer.
PUBLIC_URL = http_address("PUBLIC_URL", "") if env.str("PUBLIC_URL", default="") else ""

# --- Providers ------------------------------------------------------------------------------------------------------

# MOCKAPI_ENABLED: serve the imitated providers under /mock/. On by default, but not in production.
MOCKAPI_ENABLED = switch("MOCKAPI_ENABLED", default=not IS_PRODUCTION)
# MOCKAPI_ONLY: serve nothing but the mock (its own process, for tests and other programs).
MOCKAPI_ONLY = switch("MOCKAPI_ONLY", default=False)
# MOCKAPI_KEY: the bearer key the mock accepts; empty accepts any. Required where production serves the mock.
MOCKAPI_KEY = secret("MOCKAPI_KEY")
# MOCKAPI_CONCURRENT_LIMIT, MOCKAPI_BALANCE: what the mock Mureka account allows at once, and its balance in US cents.
MOCKAPI_CONCURRENT_LIMIT = number("MOCKAPI_CONCURRENT_LIMIT", 2, low=1, high=10_000)
MOCKAPI_BALANCE = number("MOCKAPI_BALANCE", 3000, low=0, high=10_000_000)
# MOCKAPI_SECONDS: how long a mock job takes when its prompt names no duration.
MOCKAPI_SECONDS = number("MOCKAPI_SECONDS", 8, low=0, high=3600)
# MOCKAPI_AUDIO_SECONDS: how long the mock's songs play.
MOCKAPI_AUDIO_SECONDS = number("MOCKAPI_AUDIO_SECONDS", 30, low=1, high=330)
# MOCKAPI_OLLAMA_WORDS_PER_SECOND: how fast the mock Ollama writes; 0 writes all at once.
MOCKAPI_OLLAMA_WORDS_PER_SECOND = number("MOCKAPI_OLLAMA_WORDS_PER_SECOND", 30, low=0, high=100_000)
MOCK_URL = f"http://127.0.0.1:{PORT}/mock"

# MUREKA_API_KEY, MUREKA_BASE_URL: without a key, Mureka is the mock while that is served, visibly so.
MUREKA_API_KEY = secret("MUREKA_API_KEY")
MUREKA_BASE_URL = http_address(
    "MUREKA_BASE_URL", f"{MOCK_URL}/mureka" if MOCKAPI_ENABLED and not MUREKA_API_KEY else "https://api.mureka.ai"
)
# MUREKA_FILE_HOSTS: hosts that results may be fetched from, beside that of MUREKA_BASE_URL.
MUREKA_FILE_HOSTS: list[str] = env.list("MUREKA_FILE_HOSTS", default=["cdn.mureka.ai", "cdn.mureka.cn"])
# MUREKA_DEADLINE_SECONDS: a song without a result after this long ends as failed (it can still be asked for by hand).
MUREKA_DEADLINE_SECONDS = number("MUREKA_DEADLINE_SECONDS", 1800, low=10, high=86_400)
# MUREKA_SLOT_SECONDS: how long a song whose fate is uncertain keeps its turn at Mureka.
MUREKA_SLOT_SECONDS = number("MUREKA_SLOT_SECONDS", 600, low=1, high=86_400)

# OPENAI_API_KEY, OPENAI_BASE_URL: pictures. Without a key the mock, as for Mureka.
OPENAI_API_KEY = secret("OPENAI_API_KEY")
OPENAI_BASE_URL = http_address(
    "OPENAI_BASE_URL",
    f"{MOCK_URL}/openai/v1" if MOCKAPI_ENABLED and not OPENAI_API_KEY else "https://api.openai.com/v1",
)
# OPENAI_FILE_HOSTS: hosts that pictures may be fetched from, beside that of OPENAI_BASE_URL, where a compatible server
# answers with addresses. OpenAI itself sends the pictures.
OPENAI_FILE_HOSTS: list[str] = env.list("OPENAI_FILE_HOSTS", default=[])
# IMAGES_WAIT_SECONDS: how long an API client is kept waiting for its picture before it is told to come back.
IMAGES_WAIT_SECONDS = number("IMAGES_WAIT_SECONDS", 90, low=0, high=110)
# OLLAMA_BASE_URL: texts. Unset it is the mock while that is served, visibly so, otherwise Ollama on this machine.
OLLAMA_BASE_URL = http_address("OLLAMA_BASE_URL", f"{MOCK_URL}/ollama" if MOCKAPI_ENABLED else "http://127.0.0.1:11434")
# PRIVATE_HOSTS: hosts of the home network, beside the providers' own, that the studio may be led to or be told to call.
PRIVATE_HOSTS: list[str] = [host.lower() for host in env.list("PRIVATE_HOSTS", default=[])]
# OLLAMA_MODEL: the model where a template or a conversation names none; without it, the first that is installed.
OLLAMA_MODEL = env.str("OLLAMA_MODEL", default="")
# CHAT_CONTEXT_TOKENS: how much of a conversation a model is sent, its answer included. More takes more memory and time.
# Magic takes more where a text needs it, so that nothing of the text is cut off.
# A model that can read less is sent less.
CHAT_CONTEXT_TOKENS = number("CHAT_CONTEXT_TOKENS", 8192, low=512, high=1_000_000)

# --- Django ---------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "macai.apps.MacaiConfig",
    "macai.apps.StudioAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "accounts",
    "jobs",
    "library",
    "prompts",
    "songs",
    "images",
    "chat",
    "backups",
    "watch",
    "mockapi",
    "axes",
    "knox",
    "django_q",
    "django_htmx",
    "django_structlog",
    "heroicons",
    "csp",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "macai.proxy.believe_proxies_only",  # first: the others read what it lets through
    "macai.middleware.RequestIdMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "macai.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "macai.middleware.SignInMiddleware",  # before the next, which reads a body of up to 801 MB to the end
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "mockapi.urls" if MOCKAPI_ONLY else "macai.urls"
WSGI_APPLICATION = "macai.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "macai.context_processors.studio",
            ],
        },
    },
]

# DATABASE_URL: postgres://user:password@host:5432/name; without it, SQLite in DATA_DIR.
DATABASE_URL = secret("DATABASE_URL")
if DATABASE_URL and not is_address(DATABASE_URL, "postgres", "postgresql", "sqlite"):
    raise ImproperlyConfigured(
        "DATABASE_URL must look like postgres://user:password@host:5432/name or sqlite:////path/to/file."
    )
# DATABASE_PASSWORD: used in place of a password in DATABASE_URL; a file fits it better than a whole address.
DATABASE_PASSWORD = secret("DATABASE_PASSWORD")
database: dict[str, Any] = dict(env.db_url_config(DATABASE_URL or f"sqlite:///{DATA_DIR / 'macai.sqlite3'}"))
if database["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE removes "database is locked"; FULL, because a saved job id must survive a power cut.
    database |= {
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;",
        },
    }
else:
    # A database that does not answer is an error after 10 s, not a hang.
    database |= {"CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}
    database["OPTIONS"] = {"connect_timeout": 10} | database.get("OPTIONS", {})
    database["PASSWORD"] = DATABASE_PASSWORD or database.get("PASSWORD", "")
DATABASES = {"default": database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# REDIS_URL: broker and cache; without it, the database carries the queue and the cache is files in DATA_DIR.
REDIS_URL = secret("REDIS_URL")
if REDIS_URL and not is_address(REDIS_URL, "redis", "rediss", "unix"):
    raise ImproperlyConfigured("REDIS_URL must look like redis://host:6379/0, or start with rediss:// or unix://.")
# A Redis that does not answer is an error soon, not a hang. Longer than the broker's wait of 1 s for a task.
REDIS_TIMEOUTS = {"socket_connect_timeout": 2, "socket_timeout": 5}
CACHES: dict[str, Any] = {
    # Shared by every process: cluster heartbeats live here.
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "macai",
        "OPTIONS": REDIS_TIMEOUTS,
    }
    if REDIS_URL
    else {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": DATA_DIR / "cache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}


def broker_address() -> str:
    """Return REDIS_URL with the timeouts in its query, where it does not set them itself."""
    separator = "&" if "?" in REDIS_URL else "?"
    missing = [f"{name}={value}" for name, value in REDIS_TIMEOUTS.items() if f"{name}=" not in REDIS_URL]
    return REDIS_URL + separator + "&".join(missing) if missing else REDIS_URL


# Django-Q only wakes somebody up: retrying is the job's own business, never the queue's (jobs/).
Q_CLUSTER: dict[str, Any] = {
    "name": "macai",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "timeout": 1200,
    "retry": 1260,
    "max_attempts": 1,
    "ack_failures": True,
    "catch_up": False,
    "save_limit": 100,
    "poll": 0.2,
    "label": _("Queue"),
} | ({"redis": broker_address()} if REDIS_URL else {"orm": "default"})

# --- Users and doors ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.lockout.LockOutBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.EarlierBCryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

# ADMIN_PATH: the address of the admin, without slashes around it.
ADMIN_PATH = env.str("ADMIN_PATH", default="") or "admin"
if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", ADMIN_PATH):
    raise ImproperlyConfigured(f"ADMIN_PATH must be letters, digits, - and _, such as office, not {ADMIN_PATH!r}.")
# TRUSTED_PROXIES: addresses or networks of our own proxies. Only what they say about where a request comes from
# (X-Forwarded-For), and whether it came by TLS, is believed (macai/proxy.py). By default the one on this machine, where
# a proxy ends TLS.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", ["127.0.0.1", "::1"] if HTTPS else [])
# SIGN_IN_ATTEMPTS: after how many failed sign-ins a name is locked out from where they came.
# SIGN_IN_ATTEMPTS_BY_ADDRESS: after how many, with whatever names, nobody can sign in from there.
# SIGN_IN_PAUSE_SECONDS: for how long.
SIGN_IN_ATTEMPTS = number("SIGN_IN_ATTEMPTS", 5, low=1, high=1000)
SIGN_IN_ATTEMPTS_BY_ADDRESS = number("SIGN_IN_ATTEMPTS_BY_ADDRESS", 30, low=1, high=100_000)
SIGN_IN_PAUSE_SECONDS = number("SIGN_IN_PAUSE_SECONDS", 900, low=1, high=86_400)
AXES_HANDLER = "accounts.lockout.LockOutHandler"
AXES_CLIENT_IP_CALLABLE = "accounts.proxies.client_network"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.refuse"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_COOLOFF_TIME = timedelta(seconds=SIGN_IN_PAUSE_SECONDS)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False  # accounts/admin.py shows what matters
AXES_VERBOSE = False

KNOX_TOKEN_MODEL = "accounts.AccessToken"
MIGRATION_MODULES = {"knox": None}  # its one table is replaced by ours
REST_KNOX = {
    "AUTH_HEADER_PREFIX": "Token",
    # TOKEN_DAYS: how long an API token lives.
    "TOKEN_TTL": timedelta(days=number("TOKEN_DAYS", 90, low=1, high=3650)),
    "TOKEN_PREFIX": "macai_",
}
# CORS_ALLOWED_ORIGINS: other sites whose scripts may use the API, with a token: never with a session's cookie.
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
for origin in CORS_ALLOWED_ORIGINS:
    if not re.fullmatch(r"https?://[^/\s*]+", origin):
        raise ImproperlyConfigured(f"CORS_ALLOWED_ORIGINS must be like https://other.example, not {origin!r}.")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["location", "retry-after"]
# API_RATE_USER, API_RATE_ANONYMOUS, API_RATE_TOKEN: how often a person, a stranger's address, and whoever asks for a
# token there may ask the API. Each such as 20/minute, or off.
API_RATES = {
    "user": rate("API_RATE_USER", "1200/minute"),
    "anonymous": rate("API_RATE_ANONYMOUS", "120/minute"),
    "token": rate("API_RATE_TOKEN", "20/minute"),
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.AccessTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": ["macai.rest.BoundedJSONParser", "rest_framework.parsers.FormParser"],
    "DEFAULT_PAGINATION_CLASS": "macai.rest.Pages",
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.UserThrottle", "accounts.throttling.AnonymousThrottle"],
    "EXCEPTION_HANDLER": "macai.api.explain",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Macai",
    "DESCRIPTION": "The self-hosted AI studio: songs, pictures and texts, kept at home and never paid for twice.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StatusEnum": "jobs.models.Status",
        "HealthStateEnum": "macai.findings.State",
        "PhaseEnum": "jobs.models.Phase",
        "ChargeEnum": "jobs.models.Charge",
        "WorkflowEnum": "songs.models.Workflow",
        "FileStateEnum": "songs.models.FileState",
        "MessageStateEnum": "chat.models.State",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "macai.api.describe_refusals"],
}

# --- Security headers and cookies -----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# The supervisor's own probe and the worker's calls to the mock come without TLS.
SECURE_REDIRECT_EXEMPT = [r"^api/v1/health/", r"^mock/"]
DEFAULT_EXCEPTION_REPORTER_FILTER = "macai.reports.SecretsLeftOut"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token in their forms and in hx-headers
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30

# --- Files ----------------------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"
# MEDIA_ACCEL: the internal address below which nginx has MEDIA_ROOT, such as /protected-media/. The app then checks who
# asks, and nginx sends the file (library/serving.py). Without it the app sends files itself.
MEDIA_ACCEL = env.str("MEDIA_ACCEL", default="")
if MEDIA_ACCEL and not re.fullmatch(r"/([A-Za-z0-9_-]+/)+", MEDIA_ACCEL):
    raise ImproperlyConfigured(f"MEDIA_ACCEL must start and end with a slash, not {MEDIA_ACCEL!r}.")
# MEDIA_S3_BUCKET: media lie in this bucket of S3, or of a compatible server, in place of MEDIA_ROOT, which then only
# holds what is on its way there: for a studio on several hosts. nginx has none of it, so MEDIA_ACCEL means nothing.
MEDIA_S3_BUCKET = env.str("MEDIA_S3_BUCKET", default="")
# MEDIA_S3_ENDPOINT_URL: where that is, if it is not Amazon's own. MEDIA_S3_REGION: its region.
MEDIA_S3_ENDPOINT_URL = (
    http_address("MEDIA_S3_ENDPOINT_URL", "") if env.str("MEDIA_S3_ENDPOINT_URL", default="") else ""
)
MEDIA_S3_REGION = env.str("MEDIA_S3_REGION", default="") or "us-east-1"
# MEDIA_S3_PREFIX: the folder in the bucket; without it, all of the bucket is the studio's.
MEDIA_S3_PREFIX = env.str("MEDIA_S3_PREFIX", default="").strip("/")
# MEDIA_S3_ACCESS_KEY_ID, MEDIA_S3_SECRET_ACCESS_KEY: may list the bucket, and get, put and delete its objects.
MEDIA_S3_ACCESS_KEY_ID = secret("MEDIA_S3_ACCESS_KEY_ID")
MEDIA_S3_SECRET_ACCESS_KEY = secret("MEDIA_S3_SECRET_ACCESS_KEY")
if MEDIA_S3_BUCKET:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", MEDIA_S3_BUCKET):
        raise ImproperlyConfigured(f"MEDIA_S3_BUCKET must be the name of a bucket alone, not {MEDIA_S3_BUCKET!r}.")
    if not re.fullmatch(r"([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?", MEDIA_S3_PREFIX):
        raise ImproperlyConfigured(f"MEDIA_S3_PREFIX must be a folder such as macai/media, not {MEDIA_S3_PREFIX!r}.")
    if not (MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY):
        raise ImproperlyConfigured("MEDIA_S3_BUCKET needs MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY.")
    if not (find_spec("storages") and find_spec("boto3")):
        raise ImproperlyConfigured(
            "MEDIA_S3_BUCKET needs what requirements-s3.txt lists: set MACAI_EXTRAS=s3 when you install or build."
        )
    MEDIA_ACCEL = ""
# STATIC_ROOT: where static files are collected. The image has them collected beside the code.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or DATA_DIR / "static")
# STATIC_SHARE: a folder in which nginx finds the static files of this version and of those before it; `manage.py
# prepare` copies them there.
STATIC_SHARE = env.str("STATIC_SHARE", default="")
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Static files are no secret: in the image root collects them, and another user serves them.
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        "OPTIONS": {"file_permissions_mode": 0o644},
    },
}
if MEDIA_S3_BUCKET:
    bucket = {
        "bucket_name": MEDIA_S3_BUCKET,
        "location": MEDIA_S3_PREFIX,
        "endpoint_url": MEDIA_S3_ENDPOINT_URL or None,
        "region_name": MEDIA_S3_REGION,
        "access_key": MEDIA_S3_ACCESS_KEY_ID,
        "secret_key": MEDIA_S3_SECRET_ACCESS_KEY,
    }
    # The probe of the health check is the same bucket, asked with little patience.
    STORAGES |= {
        "default": {"BACKEND": "library.bucket.BucketStorage", "OPTIONS": bucket},
        "probe": {
            "BACKEND": "library.bucket.BucketStorage",
            "OPTIONS": bucket | {"seconds": (0.8, 0.8), "tries": 1},
        },
    }
FILE_UPLOAD_PERMISSIONS = 0o640

# --- Backups --------------------------------------------------------------------------------------------------------

# BACKUP_DIR: where backups are kept; best on another disk. Not below the media.
BACKUP_DIR = Path(env.str("BACKUP_DIR", default="") or DATA_DIR / "backups").expanduser()
BACKUP_DIR = BACKUP_DIR if BACKUP_DIR.is_absolute() else BASE_DIR / BACKUP_DIR
# BACKUP_DAYS: backups that are older are deleted after the next; the newest good one never is.
BACKUP_DAYS = number("BACKUP_DAYS", 7, low=1, high=3650)
# BACKUP_AGE_RECIPIENT: a public key of the age tool (age1...); backups are then encrypted for it.
BACKUP_AGE_RECIPIENT = env.str("BACKUP_AGE_RECIPIENT", default="").strip()
# BACKUP_AGE_IDENTITY: the file with the secret key, to restore and verify. Without it the weekly verification of
# encrypted backups cannot look inside. The secret key is best kept elsewhere.
BACKUP_AGE_IDENTITY = env.str("BACKUP_AGE_IDENTITY", default="").strip()

# --- Language, time, logs -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
# TIME_ZONE: the zone in which pages show times.
TIME_ZONE = env.str("TIME_ZONE", default="") or "UTC"
USE_TZ = True

# LOG_LEVEL: DEBUG, INFO, WARNING or ERROR. The default is INFO; at home the terminal then shows warnings only.
LOG_LEVEL = (env.str("LOG_LEVEL", default="") or "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
    raise ImproperlyConfigured(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {LOG_LEVEL!r}.")
# LOG_FORMAT: text is for people, json for programs. json is the default in production.
LOG_FORMAT = (env.str("LOG_FORMAT", default="") or ("json" if IS_PRODUCTION else "text")).lower()
if LOG_FORMAT not in {"text", "json"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be text or json, not {LOG_FORMAT!r}.")
# LOG_FILES: also write DATA_DIR/logs/macai.log, 60 MB at most. On by default, but not in production.
LOG_FILES = switch("LOG_FILES", default=not IS_PRODUCTION)
is_quiet = LOG_FILES and not DEBUG and not env.str("LOG_LEVEL", default="")
LOGGING = logs.logging_settings(
    level=LOG_LEVEL,
    console_level="WARNING" if is_quiet else LOG_LEVEL,
    is_json=LOG_FORMAT == "json",
    file=DATA_DIR / "logs" / "macai.log" if LOG_FILES else None,
    # What no line may ever show, beside all that looks like a secret (macai/secrets.py).
    secrets=[*secrets, SECRET_KEY, str(database.get("PASSWORD") or ""), urlsplit(REDIS_URL).password or ""],
)
# Which request and which job a line belongs to (macai/middleware.py, jobs/tracing.py).
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
