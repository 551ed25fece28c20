"""From nothing to a running studio: bootstrap.py and `manage.py up`."""

import ast
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from macai import preparing

ROOT = Path(__file__).parent.parent.parent


def run(command: list[str], cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project whose requirements are empty, so that installing them needs no network."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "requirements-dev.txt").write_text("# nothing\n")
    (tmp_path / "manage.py").write_text("import sys; print('manage', sys.argv[1:])")
    return tmp_path


def bootstrap(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run([sys.executable, "bootstrap.py", *arguments], clone, **environment)


@pytest.mark.own_database
def test_the_first_start_installs_and_the_second_one_does_not(clone: Path) -> None:
    first = bootstrap(clone, "run", "--option")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "manage ['up', '--option']\n"
    assert "Installing what requirements.txt lists" in first.stderr
    second = bootstrap(clone, "run")
    assert (second.stdout, second.stderr) == ("manage ['up']\n", "")

    (clone / "requirements.txt").write_text("# changed\n")
    changed = bootstrap(clone, "run")
    assert "Installing" in changed.stderr
    assert "Making" not in changed.stderr

    (clone / ".venv" / "unfinished").touch()  # as an interrupted installation leaves it
    repaired = bootstrap(clone, "run")
    assert "Making the environment" in repaired.stderr
    assert repaired.stdout == "manage ['up']\n"


@pytest.mark.own_database
def test_the_extra_is_installed_once_it_is_named_and_kept_up_to_date(clone: Path) -> None:
    extra = clone / "requirements-s3.txt"
    extra.write_text("# nothing\n")
    assert "requirements-s3.txt" not in bootstrap(clone, "run").stderr
    assert bootstrap(clone, "run", MACAI_EXTRAS="s3").stderr == "Installing what requirements-s3.txt lists ...\n"
    assert bootstrap(clone, "run").stderr == ""
    extra.write_text("# changed\n")
    assert bootstrap(clone, "manage").stderr == "Installing what requirements-s3.txt lists ...\n"
    misspelt = bootstrap(clone, "run", MACAI_EXTRAS="S3")
    assert (misspelt.returncode, misspelt.stderr) == (1, "macai: MACAI_EXTRAS must be s3 or empty, not S3.\n")


@pytest.mark.own_database
def test_a_failed_installation_is_a_sentence_and_is_tried_again(clone: Path) -> None:
    (clone / "requirements.txt").write_text("./missing-directory\n")
    failed = bootstrap(clone, "dev")
    assert failed.returncode == 1
    assert failed.stderr.endswith("macai: requirements.txt could not be installed; the lines above say why.\n")
    assert (clone / ".venv" / "unfinished").exists()


def test_too_old_a_python_is_one_sentence(clone: Path) -> None:
    as_if_old = "import runpy, sys; sys.version_info = (3, 8, 1); sys.argv = ['bootstrap.py', 'run']; "
    result = run([sys.executable, "-c", as_if_old + "runpy.run_path('bootstrap.py', run_name='__main__')"], clone)
    assert result.returncode == 1
    assert result.stderr.startswith("macai: Python 3.11 or newer is needed; this is Python 3.8 (")
    assert not (clone / ".venv").exists()


def test_bootstrap_can_be_read_by_an_old_python() -> None:
    ast.parse((ROOT / "bootstrap.py").read_text(), feature_version=(3, 4))


def free_port() -> int:
    """Find a port below those that the system hands out by itself: no other test that runs beside this one gets it."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    pytest.fail("no free port")


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = str(listener.getsockname()[1])
        result = run([sys.executable, "manage.py", "up"], ROOT, PORT=port, DATA_DIR=str(tmp_path), DATABASE_URL="")
    assert result.returncode == 1
    assert result.stderr == f"macai: Port {port} is in use. Set PORT to another one.\n"


def test_a_database_that_is_down_is_one_sentence(tmp_path: Path) -> None:
    address = f"postgres://nobody:secret@127.0.0.1:{free_port()}/nothing"
    environment = {"PORT": str(free_port()), "DATA_DIR": str(tmp_path), "DATABASE_URL": address, "REDIS_URL": ""}
    result = run([sys.executable, "manage.py", "up"], ROOT, **environment)
    assert result.returncode == 1
    assert result.stderr.startswith("macai: The database does not answer: ")
    assert len(result.stderr.splitlines()) == 1
    assert "secret" not in result.stderr


@pytest.mark.own_database
def test_up_serves_refuses_a_second_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    port = free_port()
    environment = {"PORT": str(port), "DATA_DIR": str(tmp_path), "DATABASE_URL": "", "REDIS_URL": ""}
    command = [sys.executable, "manage.py", "up"]
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines == [
            "Preparing the database ...\n",
            "Collecting static files ...\n",
            f"Macai is at http://127.0.0.1:{port}/ (Ctrl-C stops it)\n",
        ]
        second = run(command, ROOT, **environment)
        assert second.returncode == 1
        assert second.stderr.startswith(f"macai: Macai already runs on {tmp_path}.")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    # With the environment of each: all that the studio starts inherits its DATA_DIR.
    listing = subprocess.run(["ps", "axeww", "-o", "command="], capture_output=True, text=True, check=True).stdout
    assert f"DATA_DIR={tmp_path}" not in listing
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", port)) != 0


@pytest.mark.django_db
def test_the_owner_named_by_the_environment_is_made_once(settings, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    settings.DJANGO_SUPERUSER_USERNAME, settings.DJANGO_SUPERUSER_PASSWORD = "owner", "a long enough pass phrase"
    settings.DJANGO_SUPERUSER_EMAIL = "owner@studio.example"
    preparing.create_owner_from_environment()
    owner = get_user_model().objects.get()
    assert (owner.get_username(), owner.is_superuser) == ("owner", True)
    assert owner.check_password("a long enough pass phrase")
    monkeypatch.setattr(preparing, "create_owner", lambda **_: pytest.fail("there is an owner already"))
    preparing.create_owner_from_environment()


@pytest.mark.django_db
def test_a_bad_password_for_the_owner_is_a_sentence(settings, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    def refuse(**_: str) -> None:
        raise ValidationError({"password": ["Too short."]})

    settings.DJANGO_SUPERUSER_USERNAME, settings.DJANGO_SUPERUSER_PASSWORD = "owner", "x"
    monkeypatch.setattr(preparing, "create_owner", refuse)
    with pytest.raises(SystemExit, match="DJANGO_SUPERUSER_USERNAME cannot be made: Too short"):
        preparing.create_owner_from_environment()


def test_static_files_are_collected_in_production_and_only_when_they_changed(settings, monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    calls: list[str] = []
    settings.DEBUG, settings.STATIC_ROOT = False, tmp_path / "static"
    monkeypatch.setattr(preparing, "call_command", lambda name, **_: calls.append(name))
    preparing.collect_static()
    started = time.monotonic()
    preparing.collect_static()
    assert time.monotonic() - started < 1
    assert calls == ["collectstatic"]
    monkeypatch.setattr(preparing, "static_fingerprint", lambda: "another")
    preparing.collect_static()
    assert calls == ["collectstatic"] * 2


def test_nginx_has_the_static_files_of_this_version_and_of_those_before_it(settings, tmp_path) -> None:  # type: ignore[no-untyped-def]
    settings.STATIC_ROOT, settings.STATIC_SHARE = tmp_path / "collected", str(tmp_path / "shared")
    (tmp_path / "collected" / "css").mkdir(parents=True)
    (tmp_path / "collected" / ".fingerprint").write_text("of no interest to a browser")
    (tmp_path / "collected" / "css" / "a.1.css").write_text("new")
    (tmp_path / "shared").mkdir()
    for name, days in {"a.0.css": 29, "a.00.css": 31}.items():
        (tmp_path / "shared" / name).write_text("old")
        os.utime(tmp_path / "shared" / name, (time.time() - days * 86_400,) * 2)
    preparing.share_static()
    preparing.share_static()  # a second host
    shared = {str(path.relative_to(tmp_path / "shared")) for path in (tmp_path / "shared").rglob("*") if path.is_file()}
    assert shared == {"css/a.1.css", "a.0.css"}
    assert (tmp_path / "shared" / "css" / "a.1.css").read_text() == "new"


@pytest.mark.own_database
def test_two_hosts_may_prepare_at_once(tmp_path: Path) -> None:
    environment = {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "DJANGO_SUPERUSER_USERNAME": "owner",
        "DJANGO_SUPERUSER_PASSWORD": "a long enough pass phrase",
    }
    command = [sys.executable, "manage.py", "prepare"]
    hosts = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [host.communicate(timeout=120)[0] for host in hosts]
    assert [host.returncode for host in hosts] == [0, 0]
    assert "".join(said).count("Preparing the database") == 1
    count = "from accounts.models import User; print(User.objects.count())"
    shell = [sys.executable, "manage.py", "shell", "-v", "0", "-c", count]
    assert run(shell, ROOT, **environment).stdout == "1\n"
