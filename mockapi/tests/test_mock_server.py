"""The mock over real connections: a reset that loses the answer, and a process that serves nothing else."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pytest_django.live_server_helper import LiveServer

from mockapi.models import MurekaTask
from mockapi.tests.driving import make_song

PROJECT = Path(__file__).resolve().parents[2]
KEY = {"Authorization": "Bearer any-key"}


@pytest.mark.django_db(transaction=True)
def test_0009_resets_the_connection_of_djangos_own_server(live_server: LiveServer) -> None:
    with pytest.raises(requests.ConnectionError, match="reset"):
        requests.post(
            f"{live_server.url}/mock/mureka/v1/song/generate", json=make_song(prompt="0009"), headers=KEY, timeout=5
        )
    assert MurekaTask.objects.count() == 1
    assert requests.get(f"{live_server.url}/mock/health", timeout=5).json() == {"status": "ok"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def only_the_mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the project with MOCKAPI_ONLY on its own database, with two gunicorn processes; yield its address."""
    port = str(free_port())
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    environment = kept | {
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(tmp_path_factory.mktemp("mock")),
        "DEBUG": "true",
        "PORT": port,
        "MOCKAPI_ONLY": "true",
        "MOCKAPI_SECONDS": "0",
        "MOCKAPI_AUDIO_SECONDS": "1",
        "MOCKAPI_CONCURRENT_LIMIT": "4",
        "PYTHONWARNINGS": "default",
    }
    migrate = [sys.executable, "manage.py", "migrate", "mockapi", "-v0", "--skip-checks"]
    subprocess.run(migrate, cwd=PROJECT, env=environment, check=True)
    serve = [sys.executable, "-m", "gunicorn", "macai.wsgi", "--bind", f"127.0.0.1:{port}"]
    options = ["--worker-class=gthread", "--threads=4", "--workers=2", "--log-level=warning", "--no-control-socket"]
    with subprocess.Popen([*serve, *options], cwd=PROJECT, env=environment) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/mock/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(url: str) -> None:
    for _ in range(200):
        try:
            requests.get(url, timeout=1)
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"{url} did not come up")


def test_the_mock_alone_makes_a_song(only_the_mock: str) -> None:
    api = f"{only_the_mock}/mock/mureka/v1"
    task = requests.post(f"{api}/song/generate", json=make_song(), headers=KEY, timeout=5).json()
    done = requests.get(f"{api}/song/query/{task['id']}", headers=KEY, timeout=5).json()
    for choice in done["choices"]:
        file = requests.get(choice["url"], timeout=5)
        assert (file.status_code, file.headers["Content-Type"]) == (200, "audio/mpeg")
    assert requests.get(f"{only_the_mock}/", timeout=5).status_code == 404
    assert requests.get(f"{only_the_mock}/api/v1/health/", timeout=5).status_code == 404


def test_0009_resets_the_connection_under_gunicorn_and_the_server_goes_on(only_the_mock: str) -> None:
    api = f"{only_the_mock}/mock/mureka"
    with requests.Session() as session:
        for number in range(5):
            with pytest.raises(requests.ConnectionError, match="reset"):
                session.post(
                    f"{api}/v1/song/generate", json=make_song(lyrics=f"0009 lost {number}"), headers=KEY, timeout=5
                )
        submissions = session.get(f"{api}/ledger", headers=KEY, timeout=5).json()["submissions"]
    assert [entry["lyrics"] for entry in submissions if entry["scenario"] == "0009"] == [
        f"0009 lost {number}" for number in range(5)
    ]


def test_the_limit_holds_over_several_processes(only_the_mock: str) -> None:
    api = f"{only_the_mock}/mock/mureka/v1"

    def submit(number: int) -> int:
        body = make_song(lyrics=f"many {number}", prompt="60s", n=1)
        return requests.post(f"{api}/song/generate", json=body, headers=KEY, timeout=10).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(submit, range(24)))
    assert (statuses.count(200), statuses.count(429)) == (4, 20)
