"""deploy/update: the new apps are up before the old ones stop, and however it ends, one version is left."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

DOCKER = """#!/bin/sh
cd "$FOLDER"
echo "$@" >> calls
for last; do :; done
case "$*" in
  *"ps --quiet app" | *"ps --all --quiet app") cat apps ;;
  *"ps --quiet worker") printf 'w1\\nw2\\n' ;;
  *"--scale app="*) echo >> ups; number=$(wc -l < ups); printf "new${number}a\\nnew${number}b\\n" >> apps ;;
  "inspect --format "*) cat "health-$last" 2> /dev/null || cat health ;;
  "inspect "*) grep -q "^$last$" apps ;;
  "stop "*) [ "$last" != "$(cat stuck 2> /dev/null)" ] ;;
  "rm "*) for gone in "$@"; do grep -v "^$gone$" apps > left; mv left apps; done ;;
esac
"""


class Update:
    """deploy/update with a docker that only pretends, and knows which apps there are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        docker = folder / "docker"
        docker.write_text(DOCKER, encoding="ascii")
        docker.chmod(0o755)
        folder.joinpath("apps").write_text("old1\nold2\n")
        self.environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "FOLDER": str(folder),
            "STATE": str(folder / "state"),
            "LOOKED_UP": "0",
            "PATIENCE": "0",
        }

    def set_health(self, health: str, container: str = "") -> None:
        """Say how a new container is, or all of them."""
        self.folder.joinpath(f"health-{container}" if container else "health").write_text(f"{health}\n")

    def run(self) -> tuple[subprocess.CompletedProcess[str], list[str]]:
        """Update. Return how it ended, and what docker was told."""
        self.folder.joinpath("calls").unlink(missing_ok=True)
        environment = os.environ | self.environment
        result = subprocess.run(
            ["deploy/update"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        return result, self.calls()

    def end_while_it_waits(self, number: signal.Signals) -> int:
        """Update to what does not get healthy, and end that with a signal. Return the status."""
        self.set_health("starting")
        environment = os.environ | self.environment | {"PATIENCE": "60"}
        with subprocess.Popen(["deploy/update"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 20
            while not [call for call in self.calls() if call.startswith("inspect --format")]:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            process.send_signal(number)
        return process.returncode

    def calls(self) -> list[str]:
        """Return what docker was told."""
        calls = self.folder / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def apps(self) -> list[str]:
        """Return the containers of the app."""
        return (self.folder / "apps").read_text().split()


@pytest.fixture
def update(tmp_path: Path) -> Update:
    update = Update(tmp_path)
    update.set_health("healthy")
    return update


def test_an_update_has_the_new_apps_up_before_the_old_ones_stop(update: Update) -> None:
    result, calls = update.run()
    assert result.returncode == 0, result.stderr
    order = [
        "compose build prepare",
        "compose run --rm --no-deps prepare",
        "compose up --detach --no-deps --no-recreate --scale app=4 app",
        "stop old1",
        "stop old2",
        "compose up --detach --no-deps --scale worker=2 worker",
    ]
    assert [call for call in calls if call in order] == order
    assert update.apps() == ["new1a", "new1b"]
    assert calls[-1].startswith("compose exec -T nginx")
    assert not (update.folder / "state").exists()


def test_an_update_that_does_not_get_healthy_leaves_the_old_version_alone_running(update: Update) -> None:
    update.set_health("starting", "new1b")
    result, calls = update.run()
    assert result.returncode == 1
    assert "The old one still runs" in result.stderr
    assert update.apps() == ["old1", "old2"]
    assert not [call for call in calls if call.startswith("stop old") or "worker" in call]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_update_that_is_broken_off_stops_what_it_has_started(number: signal.Signals, update: Update) -> None:
    assert update.end_while_it_waits(number) == 130
    assert update.apps() == ["old1", "old2"]
    assert not (update.folder / "state").exists()


def test_after_an_update_that_was_killed_the_next_one_knows_which_apps_are_old(update: Update) -> None:
    assert update.end_while_it_waits(signal.SIGKILL) == -signal.SIGKILL
    assert update.apps() == ["old1", "old2", "new1a", "new1b"]
    update.set_health("healthy")
    result, calls = update.run()
    assert result.returncode == 0, result.stderr
    assert "compose up --detach --no-deps --no-recreate --scale app=4 app" in calls
    assert len(update.apps()) == 2
    assert not {"old1", "old2"} & set(update.apps())


def test_an_update_that_ended_while_the_old_apps_stopped_is_brought_to_its_end_by_the_next(update: Update) -> None:
    (update.folder / "stuck").write_text("old2")
    assert update.run()[0].returncode != 0
    assert update.apps() == ["old2", "new1a", "new1b"]
    (update.folder / "stuck").unlink()
    result, calls = update.run()
    assert result.returncode == 0, result.stderr
    assert calls.index("stop old2") < calls.index("compose build prepare")
    assert [call for call in calls if "--scale app=" in call] == [
        "compose up --detach --no-deps --no-recreate --scale app=4 app"
    ]
    assert "new1a" not in update.apps()


def test_an_update_stops_nothing_if_not_all_new_apps_are_there(update: Update) -> None:
    docker = update.folder / "docker"
    docker.write_text(DOCKER.replace("\\nnew${number}b", ""), encoding="ascii")
    result, _calls = update.run()
    assert result.returncode == 1
    assert update.apps() == ["old1", "old2"]


def test_an_update_of_a_studio_that_does_not_run_starts_it(update: Update) -> None:
    (update.folder / "apps").write_text("")
    result, calls = update.run()
    assert result.returncode == 0, result.stderr
    assert calls == ["compose build prepare", "compose ps --quiet app", "compose up --detach"]
