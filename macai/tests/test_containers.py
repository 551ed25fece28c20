"""What runs around the clock: the image, the compose files, nginx's templates, and the scripts beside them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_django import Settings

from backups.making import version
from macai import nginx
from macai.settings import read_secret

ROOT = Path(__file__).parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
STUDIO = ("app", "worker", "prepare")


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def test_the_compose_files_keep_to_the_specification() -> None:
    files = ["docker-compose.yml", "docker-compose.dev.yml"]
    result = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", *files)
    assert result.returncode == 0, result.stdout


def test_the_dockerfile_has_nothing_to_be_said_against() -> None:
    result = run(tool("hadolint"), "Dockerfile")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_container_is_limited_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["restart"] in {"unless-stopped", "on-failure:3"}
    assert service["logging"]["options"]["max-size"]
    assert service["healthcheck"].get("interval") == "30s" or name == "prepare"
    assert name == "nginx" or "ports" not in service


@pytest.mark.parametrize("name", ["app", "worker"])
def test_app_and_worker_have_the_time_that_their_stop_may_take(name: str) -> None:
    setting = {"app": "WEB_STOP_SECONDS", "worker": "STOP_SECONDS"}[name]
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > int(SERVICES[name]["environment"][setting])
    assert SERVICES[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}


def interpolated(text: str, variables: dict[str, str]) -> str:
    """Replace ${NAME:-default}, nested ones too, as compose does."""
    inner = re.compile(r"\$\{(\w+):-([^${}]*)\}")
    while found := inner.search(text):
        text = text.replace(found[0], variables.get(found[1]) or found[2])
    return text


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_the_address_of_a_server_may_come_from_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "address"
    secret.write_text("scheme://somewhere.else\n", encoding="ascii")
    dotenvs = [{}, {name: "scheme://written.down"}, {f"{name}_FILE": str(secret)}]
    read = []
    for dotenv in dotenvs:
        monkeypatch.delenv(f"{name}_FILE", raising=False)
        for variable, value in (dotenv | {name: interpolated(SERVICES["app"]["environment"][name], dotenv)}).items():
            monkeypatch.setenv(variable, value)
        read.append(read_secret(name))
    assert read[0] in {"postgres://macai@postgres:5432/macai", "redis://redis:6379/0"}
    assert read[1:] == ["scheme://written.down", "scheme://somewhere.else"]


def test_old_and_new_version_together_stay_below_what_postgresql_allows_in_an_update(settings: Settings) -> None:
    allowed = int(SERVICES["postgres"]["command"][-1].removeprefix("max_connections="))
    of_one_app = settings.WEB_PROCESSES * settings.WEB_THREADS + 2 * settings.WEB_PROCESSES  # watchman and counting
    of_one_worker = settings.WORKERS + 7
    others = 10  # PostgreSQL's own three, the preparation, a backup, somebody with psql
    assert 2 * (of_one_app + of_one_worker) + others <= allowed


@pytest.mark.parametrize("name", STUDIO)
def test_settings_of_the_containers_exist(name: str) -> None:
    listed = re.findall(r"^#? ?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(SERVICES[name]["environment"]) <= set(listed)


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8") + (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for line in text.splitlines():
        assert not re.match(r"\s*(\w*PASSWORD|\w*SECRET_KEY|\w*API_KEY|\w*TOKEN) *[:=] *[^$ ]", line), line


def test_all_that_runs_goes_into_the_image_and_no_secret_does() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"trials"}
    assert lines[1] == "*"
    assert packages | {"templates", "static", "manage.py", "requirements.txt", "requirements-s3.txt"} <= let_in
    assert "\nCOPY . .\n" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not {".env", "secrets", "nginx", "var", ".git", ".venv"} & let_in


def test_a_backup_that_is_made_in_a_container_knows_which_version_made_it(tmp_path: Path, settings: Settings) -> None:
    let_in = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for name in let_in:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, tmp_path)
    settings.BASE_DIR = tmp_path
    assert re.fullmatch(r"\d+\.\d+\S*", version())


def nginx_values(tmp_path: Path, settings: Settings) -> dict[str, str]:
    settings.STATIC_SHARE = str(tmp_path / "static")
    certificates = tmp_path / "certificates"
    assert run("nginx/certificate", "studio.example", "192.0.2.9", CERTIFICATES=str(certificates)).returncode == 0
    return nginx.values(
        names=["studio.example"],
        apps=["127.0.0.1:5050", "127.0.0.1:5051"],
        http=8080,
        https=8443,
        certificate=str(certificates / "macai.crt"),
        key=str(certificates / "macai.key"),
        logs=str(tmp_path),
    )


def test_compose_and_the_command_give_nginx_the_same_values(tmp_path: Path, settings: Settings) -> None:
    given = {name for name in SERVICES["nginx"]["environment"] if name.startswith("MACAI_")}
    assert given == set(nginx_values(tmp_path, settings))
    written = nginx.render(tmp_path / "conf.d", nginx_values(tmp_path, settings))
    asked = set(re.findall(r"\$\{(\w+)\}", "".join(path.read_text() for path in nginx.TEMPLATES.rglob("*.template"))))
    assert asked == given
    assert "${" not in "".join(path.read_text(encoding="utf-8") for path in written)


def test_the_files_are_where_the_templates_and_the_app_say() -> None:
    template = (nginx.TEMPLATES / "default.conf.template").read_text(encoding="utf-8")
    assert f"location {SERVICES['app']['environment']['MEDIA_ACCEL']} {{" in template
    volumes = {name: dict(volume.split(":")[:2] for volume in SERVICES[name]["volumes"]) for name in SERVICES}
    values, environment = SERVICES["nginx"]["environment"], SERVICES["app"]["environment"]
    assert values["MACAI_MEDIA"] == volumes["nginx"]["data"] + "/media"
    assert environment["DATA_DIR"] == volumes["app"]["data"]
    assert values["MACAI_STATIC"] == volumes["nginx"]["static"]
    assert environment["STATIC_SHARE"] == volumes["prepare"]["static"]


@pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="there is no nginx here")
def test_nginx_understands_its_configuration(tmp_path: Path, settings: Settings) -> None:
    nginx.render(tmp_path / "conf.d", nginx_values(tmp_path, settings))
    main = tmp_path / "nginx.conf"
    folders = "".join(f"{name}_temp_path {tmp_path};" for name in ("proxy", "fastcgi", "uwsgi", "scgi", "client_body"))
    http = f"http {{ include /etc/nginx/mime.types; {folders} include conf.d/*.conf; }}"
    main.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} {http}", encoding="ascii")
    result = run(shutil.which("nginx", path="/usr/sbin:/usr/bin") or "", "-t", "-c", str(main))
    assert result.returncode == 0, result.stderr
    assert "[warn]" not in result.stderr


def test_nginx_asks_every_app_before_it_gives_up() -> None:
    proxy = (nginx.TEMPLATES / "macai" / "proxy.conf.template").read_text(encoding="utf-8")
    assert "proxy_next_upstream_tries 0;" in proxy
    assert "proxy_next_upstream_timeout 10s;" in proxy


def test_a_certificate_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "macai.crt").write_text("a real one")
    assert run("nginx/certificate", "a.example", CERTIFICATES=str(tmp_path)).returncode == 0
    assert (tmp_path / "macai.crt").read_text() == "a real one"
    assert not (tmp_path / "macai.key").exists()
