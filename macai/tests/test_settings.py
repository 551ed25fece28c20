"""Settings: what is wrong is one sentence and a status that is not 0, and `.env.example` knows every name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

pytestmark = pytest.mark.own_database

ROOT = Path(__file__).parent.parent.parent
SECRET = "a-key-of-more-than-fifty-characters-0123456789-abcdefgh-xyz"


def manage(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    clean |= {"ENV_FILE": os.devnull, "DATA_DIR": str(tmp_path / "data")} | environment
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=60, check=False)


MISTAKES = {
    "a port that is no number": ({"PORT": "abc"}, "PORT must be a whole number, not 'abc'."),
    "a port that no machine has": ({"PORT": "70000"}, "PORT must be between 1 and 65535, not 70000."),
    "neither true nor false": ({"DEBUG": "flase"}, "DEBUG must be true or false, not 'flase'."),
    "a data directory below a file": ({"DATA_DIR": "/etc/hosts/x"}, "DATA_DIR /etc/hosts/x cannot be written: "),
    "an unknown database": ({"DATABASE_URL": "mongo://a:secret@b/c"}, "DATABASE_URL must look like postgres://"),
    "a database port that is no number": ({"DATABASE_URL": "postgres://a:secret@b:x/c"}, "DATABASE_URL must look like"),
    "a Redis that is a web page": ({"REDIS_URL": "http://a:secret@b"}, "REDIS_URL must look like redis://"),
    "a provider without a scheme": ({"MUREKA_BASE_URL": "mureka"}, "MUREKA_BASE_URL must start with http"),
    "a log level in other words": (
        {"LOG_LEVEL": "loud"},
        "LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not 'LOUD'.",
    ),
    "a proxy by its name": ({"TRUSTED_PROXIES": "nginx"}, "TRUSTED_PROXIES must be addresses or networks such as"),
    "media for nginx at half an address": ({"MEDIA_ACCEL": "media"}, "MEDIA_ACCEL must start and end with a slash"),
    "a bucket with its folder": ({"MEDIA_S3_BUCKET": "s3://a/b"}, "MEDIA_S3_BUCKET must be the name of a bucket alone"),
    "a bucket without keys": (
        {"MEDIA_S3_BUCKET": "macai", "MEDIA_S3_ACCESS_KEY_ID": "a-secret@"},
        "MEDIA_S3_BUCKET needs MEDIA_S3_ACCESS_KEY_ID and MEDIA_S3_SECRET_ACCESS_KEY.",
    ),
    "a bucket at no address": (
        {"MEDIA_S3_BUCKET": "macai", "MEDIA_S3_ENDPOINT_URL": "minio:9000"},
        "MEDIA_S3_ENDPOINT_URL must start with http:// or https://",
    ),
    "a folder of the bucket that leads out of it": (
        {"MEDIA_S3_BUCKET": "macai", "MEDIA_S3_PREFIX": "../a"},
        "MEDIA_S3_PREFIX must be a folder such as macai/media",
    ),
    "a secret in a file that is not there": (
        {"SECRET_KEY_FILE": "/run/secrets/none"},
        "SECRET_KEY_FILE /run/secrets/none cannot be read: No such file or directory.",
    ),
    "an empty secret": ({"OPENAI_API_KEY_FILE": os.devnull}, f"OPENAI_API_KEY_FILE {os.devnull} is empty."),
    "a secret said twice": (
        {"MUREKA_API_KEY": "a-secret@", "MUREKA_API_KEY_FILE": "/etc/hosts"},
        "MUREKA_API_KEY and MUREKA_API_KEY_FILE are both set; keep one of them.",
    ),
    "an admin at the root": ({"ADMIN_PATH": "/"}, "ADMIN_PATH must be letters, digits, - and _, such as office"),
    "an admin where the songs are": ({"ADMIN_PATH": "songs"}, "ADMIN_PATH is songs, where something else is already."),
    "every site as an origin": ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS must be like https://"),
    "a rate in other words": ({"API_RATE_USER": "often"}, "API_RATE_USER must be like 20/minute, or off, not 'often'."),
    "logs in another format": ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be text or json, not 'xml'."),
    "a webhook that is no address": ({"ALERT_WEBHOOK_URL": "secret@hook"}, "ALERT_WEBHOOK_URL must start with http"),
    "alerts by e-mail without a server": ({"ALERT_EMAIL": "me@home.example"}, "ALERT_EMAIL needs EMAIL_URL"),
    "a mail server in other words": ({"EMAIL_URL": "mail://a:secret@b"}, "EMAIL_URL must look like smtp+tls://"),
    "production without a secret": ({"DEBUG": "false"}, "SECRET_KEY is required when DEBUG=false."),
    "production without hosts": (
        {"DEBUG": "false", "SECRET_KEY": SECRET},
        "ALLOWED_HOSTS must name the studio's own hosts in production.",
    ),
    "production with a short secret": (
        {"DEBUG": "false", "SECRET_KEY": "short", "ALLOWED_HOSTS": "a.example"},
        "SECRET_KEY must be at least 50 random characters in production.",
    ),
    "production with an open mock": (
        {"DEBUG": "false", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "a.example", "MOCKAPI_ENABLED": "true"},
        "MOCKAPI_KEY is required where production serves the mock.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_up_says_in_one_sentence_what_is_wrong(mistake: str, tmp_path: Path) -> None:
    environment, sentence = MISTAKES[mistake]
    result = manage(tmp_path, "up", **environment)
    assert result.returncode == 1
    assert result.stderr.startswith(f"macai: {sentence}")
    assert len(result.stderr.strip().splitlines()) == 1
    assert "secret@" not in result.stderr


@pytest.mark.parametrize("mistake", ["a port that is no number", "production without hosts"])
def test_a_check_fails_without_a_traceback(mistake: str, tmp_path: Path) -> None:
    environment, sentence = MISTAKES[mistake]
    result = manage(tmp_path, "check", "--deploy", **environment)
    assert result.returncode != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broken_line_of_the_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# fine\nPORT=5050\nMUREKA_API_KEY secret\n")
    result = manage(tmp_path, "up", ENV_FILE=str(tmp_path / "env"))
    assert result.returncode == 1
    assert result.stderr == f"macai: {tmp_path / 'env'}, line 3 is not NAME=value.\n"


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("export PORT=6001\nHOST='127.0.0.2'\n")
    print_both = "from django.conf import settings; print(settings.PORT, settings.HOST)"
    result = manage(tmp_path, "shell", "-v", "0", "-c", print_both, ENV_FILE=str(tmp_path / "env"), PORT="6002")
    assert result.stdout.strip() == "6002 127.0.0.2"


def test_secrets_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    (tmp_path / "password").write_text("p@ss:word/with?everything\n")
    print_both = "from django.conf import settings as s; print(s.SECRET_KEY, s.DATABASES['default']['PASSWORD'])"
    environment = {
        "SECRET_KEY_FILE": str(tmp_path / "key"),
        "DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
        "DATABASE_URL": "postgres://macai@127.0.0.1:5432/macai",
    }
    result = manage(tmp_path, "shell", "-v", "0", "--no-imports", "-c", print_both, **environment)
    assert result.stdout.strip() == f"{SECRET} p@ss:word/with?everything"


@pytest.mark.parametrize(
    ("environment", "hosts"),
    [
        ({}, "127.0.0.1:5050 127.0.0.1:5050"),
        ({"MUREKA_API_KEY": "mk", "OPENAI_API_KEY": "sk"}, "api.mureka.ai api.openai.com"),
        ({"DEBUG": "false", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "a.example"}, "api.mureka.ai api.openai.com"),
    ],
    ids=["at home", "with keys", "in production, where no mock is served"],
)
def test_a_provider_without_a_key_is_the_mock_where_that_is_served(
    environment: dict[str, str], hosts: str, tmp_path: Path
) -> None:
    print_hosts = (
        "from urllib.parse import urlsplit; from django.conf import settings as s; "
        "print(urlsplit(s.MUREKA_BASE_URL).netloc, urlsplit(s.OPENAI_BASE_URL).netloc)"
    )
    result = manage(tmp_path, "shell", "-v", "0", "--no-imports", "-c", print_hosts, **environment)
    assert result.stdout.strip() == hosts


def test_well_set_production_passes_the_deployment_checks(tmp_path: Path) -> None:
    production = {"DEBUG": "false", "SECRET_KEY": SECRET, "ALLOWED_HOSTS": "studio.example"}
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **production)
    assert result.returncode == 0, result.stderr


BUCKET = {
    "MEDIA_S3_BUCKET": "macai",
    "MEDIA_S3_ACCESS_KEY_ID": "an-access-key",
    "MEDIA_S3_SECRET_ACCESS_KEY": "a-secret-key",
    "MEDIA_ACCEL": "/protected-media/",
}


def test_a_bucket_without_what_it_needs_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['boto3'] = sys.modules['storages'] = None\n")
    result = manage(tmp_path, "check", **BUCKET, PYTHONPATH=str(tmp_path))
    assert result.returncode != 0
    assert "MEDIA_S3_BUCKET needs what requirements-s3.txt lists: set MACAI_EXTRAS=s3" in result.stderr
    assert "Traceback" not in result.stderr


def test_nginx_is_asked_for_nothing_that_lies_in_a_bucket(tmp_path: Path) -> None:
    print_both = (
        "from django.conf import settings as s; from django.core.files.storage import default_storage as d; "
        "print(repr(s.MEDIA_ACCEL), d.bucket_name, d.default_acl, d.file_overwrite, d.endpoint_url)"
    )
    result = manage(tmp_path, "shell", "-v", "0", "--no-imports", "-c", print_both, **BUCKET)
    assert result.stdout.strip() == "'' macai None False None", result.stderr


def test_a_studio_without_a_bucket_never_loads_what_a_bucket_needs(tmp_path: Path) -> None:
    script = (
        "import sys; from django.core.files.storage import default_storage as d; from library import serving; "
        "d.exists('x'); print({'boto3', 'botocore', 'storages', 'library.bucket'} & set(sys.modules))"
    )
    result = manage(tmp_path, "shell", "-v", "0", "--no-imports", "-c", script)
    assert result.stdout.strip() == "set()", result.stderr


def test_the_secret_that_is_made_is_kept_and_nobody_elses_to_read(tmp_path: Path) -> None:
    print_key = "from django.conf import settings; print(settings.SECRET_KEY)"
    first, second = (manage(tmp_path, "shell", "-v", "0", "-c", print_key).stdout.strip() for _ in range(2))
    assert len(first) >= 50
    assert first == second
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_the_env_example_has_every_setting_and_nothing_else() -> None:
    source = (ROOT / "macai" / "settings.py").read_text()
    read = set(
        re.findall(r"""(?:env\.\w+|switch|number|http_address|secret|networks|rate)\(\s*"([A-Z0-9_]+)\"""", source)
    )
    listed = re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert read == set(listed)
    assert len(listed) == len(set(listed))


def test_web_threads_and_workers_together_stay_below_what_postgresql_allows() -> None:
    usable = 100 - 3  # PostgreSQL keeps three for its superuser
    others = settings.WORKERS + 7  # the cluster's own processes, the watchdog, somebody with psql

    assert settings.WEB_PROCESSES * settings.WEB_THREADS + others <= usable
