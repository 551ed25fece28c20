"""The health check of a container: what it takes for alive, and what it ends."""

import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from jobs import heartbeat
from macai import probe


class Container:
    """A container as the probe sees it: a folder that stays, a first process, and a clock."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0  # of all clocks
        self.folder, self.ended = folder, list[str]()
        clock = SimpleNamespace(CLOCK_BOOTTIME=0, clock_gettime=lambda _clock: self.now)
        clock.time = clock.monotonic = lambda: self.now
        monkeypatch.setattr(probe, "time", clock)
        monkeypatch.setattr(probe, "STATE", folder)
        monkeypatch.setattr(probe, "FIRST_PROCESS", folder / "stat")
        monkeypatch.setattr(probe, "IN_CONTAINER", folder)
        monkeypatch.setattr(heartbeat, "FILE", folder / "macai-worker")
        monkeypatch.setattr(probe, "kill_children_of_first_process", lambda: self.ended.append("killed"))
        self.start()

    def start(self) -> None:
        """Start it, or start it again: nothing in it is removed."""
        ticks = round(self.now * os.sysconf("SC_CLK_TCK"))
        self.folder.joinpath("stat").write_text(f"1 (docker-init) S{' 0' * 18} {ticks}{' 0' * 30}")

    def show_life(self) -> None:
        """Do what the worker does every second."""
        heartbeat.show()
        os.utime(heartbeat.FILE, (self.now, self.now))

    def probe(self, *, every: float, times: int, is_alive: bool = False, role: str = "worker") -> list[int]:
        """Let time pass, and ask, several times. Return what the probe said."""
        said = []
        for _time in range(times):
            self.now += every
            if is_alive:
                self.show_life()
            said.append(probe.main(role))
        return said


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    return Container(tmp_path, monkeypatch)


def test_a_worker_that_shows_life_is_healthy(container: Container) -> None:
    assert container.probe(every=1, times=1) == [1]
    assert container.probe(every=1, times=1, is_alive=True) == [0]
    assert container.probe(every=2 * probe.BEAT_SECONDS, times=1) == [1]


def test_what_was_alive_and_shows_no_life_three_times_in_a_row_is_ended(container: Container) -> None:
    for _time in range(2):
        container.probe(every=30, times=1, is_alive=True)
        assert container.probe(every=61, times=2) == [1, 1]
    assert not container.ended
    container.probe(every=30, times=1)
    assert container.ended == ["killed"]


def test_what_is_asked_every_second_is_not_ended_within_seconds(container: Container) -> None:
    container.probe(every=1, times=1, is_alive=True)
    container.now += probe.BEAT_SECONDS
    assert container.probe(every=1, times=40) == [1] * 40
    assert not container.ended
    container.probe(every=1, times=1)
    assert container.ended


def test_a_start_takes_as_long_as_it_takes(container: Container) -> None:
    assert container.probe(every=1, times=60) == [1] * 60
    assert container.probe(every=30, times=60) == [1] * 60
    assert not container.ended


def test_what_was_known_of_a_container_before_it_was_started_again_does_not_count(container: Container) -> None:
    container.probe(every=30, times=1, is_alive=True)
    container.probe(every=61, times=2)
    container.start()  # by Docker, for another reason
    container.probe(every=1, times=60)
    assert not container.ended
    container.probe(every=30, times=1, is_alive=True)
    container.probe(every=61, times=3)
    container.start()  # because the probe has ended it
    container.probe(every=1, times=60)
    assert container.ended == ["killed"]


def test_a_full_disk_is_no_lack_of_life(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "STATE", container.folder / "none")
    assert container.probe(every=30, times=1, is_alive=True) == [0]
    assert container.probe(every=61, times=1) == [1]


def test_a_sign_of_life_from_before_the_start_is_none(container: Container) -> None:
    container.probe(every=30, times=1, is_alive=True)
    container.now += 1
    container.start()
    assert container.probe(every=1, times=3) == [1, 1, 1]


def test_a_web_server_that_does_not_answer_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "9")  # nobody listens there
    assert not probe.app_is_alive()


def test_a_web_server_that_finishes_what_it_has_is_not_ended_one_that_hangs_is(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "PATIENCE", 0.2)
    probe.failures_in_a_row("app", is_alive=True)
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setenv("PORT", str(door.getsockname()[1]))
        assert container.probe(every=30, times=2, role="app") == [1, 1]
    assert container.probe(every=30, times=5, role="app") == [1] * 5
    assert not container.ended
    with socket.create_server(("127.0.0.1", int(os.environ["PORT"]))):
        container.probe(every=30, times=1, role="app")
    assert container.ended
