"""What a studio costs that sleeps, how quickly it lists a large library, and how quickly it starts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from trials.stage import Figure, Stage, spread, staged, studio_cpu
from trials.studio import ROOT, Profile, Program, processes_on

SETTLE_SECONDS = 60.0
REQUESTS = 100
LISTS = {
    "first page": "/songs/",
    "page 1000": "/songs/?page=1000",
    "status=FAILURE": "/songs/?status=FAILURE",
    "q=zanzibar (20 songs)": "/songs/?q=zanzibar",
    "q=harbour (every other song)": "/songs/?q=harbour",
}


def at_rest(name: str, servers: Mapping[str, str], seconds: int = 60) -> list[Figure]:
    """Measure memory and CPU of all processes of a studio with nothing to do, its schedule running."""
    # The embedded default serves the mock itself; production talks to a provider outside.
    with staged(name, servers, limit=0 if name == "sqlite" else 2) as stage:
        stage.warm_up()
        time.sleep(SETTLE_SECONDS)
        before, started = studio_cpu(stage.studio), time.monotonic()
        time.sleep(seconds)
        used, took = studio_cpu(stage.studio) - before, time.monotonic() - started
        load = os.getloadavg()[0]
        processes = processes_on(stage.studio.profile.data_dir)
        memory = [memory_of(process.pid) for process in processes]
        rss, pss = (sum(values) for values in zip(*memory, strict=True))
    return [
        Figure(f"Memory at rest, {len(processes)} processes", name, f"PSS {pss:.0f} MB (RSS {rss:.0f} MB)", load),
        Figure(f"CPU at rest, over {took:.0f} s", name, f"{100 * used / took:.2f} % of one core", load),
    ]


def memory_of(pid: int) -> tuple[float, float]:
    """Return RSS, and PSS (shared pages divided among those that share them), in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return sizes["Rss"], sizes["Pss"]


def large_library(name: str, servers: Mapping[str, str], songs: int) -> list[Figure]:
    """Ask the API for pages of a large library, one request at a time over one connection."""
    figures = []
    with staged(name, servers) as stage:
        inside(stage, "fill", str(songs))
        for label, path in LISTS.items():
            with requests.Session() as session:
                times = [timed(stage, path, session) for _request in range(REQUESTS + 5)][5:]
            load = os.getloadavg()[0]
            answer = json.loads(inside(stage, "queries", "/api/v1" + path, text=stage.client.headers["Authorization"]))
            value = f"{spread(times, unit='ms')}, {answer['queries']} queries"
            figures.append(Figure(f"List of {songs:,} songs: {label}", name, value, load))
    return figures


def timed(stage: Stage, path: str, session: requests.Session) -> float:
    """Return how many seconds a request takes, to the last byte."""
    started = time.perf_counter()
    stage.client.get(path, session).raise_for_status()
    return time.perf_counter() - started


def inside(stage: Stage, *arguments: str, text: str = "") -> str:
    """Run a command of trials.inside on the studio's database."""
    done = subprocess.run(  # noqa: S603  the command is ours
        [sys.executable, "-m", "trials.inside", *arguments],
        cwd=ROOT,
        env=stage.studio.environment,
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def starts() -> list[Figure]:
    """Start `make run` in a copy of the tree that has never run, without pip's cache; then once more."""
    folder = Path(tempfile.mkdtemp(prefix="macai-bench-start-"))
    try:
        tree = folder / "tree"
        copy_tree(tree)
        (folder / "data").mkdir()
        settings = {"PIP_NO_CACHE_DIR": "1"}
        studio = Program("start", Profile("sqlite", folder / "data", {}), settings)
        times = []
        for _start in range(2):
            studio.start("make", "-C", str(tree), "run")
            times.append(studio.wait_until_healthy("/api/v1/health/", 600))
            studio.stop()
        load = os.getloadavg()[0]
    finally:
        studio.kill_all()
        shutil.rmtree(folder)
    return [
        Figure("`make run` to health 200: fresh tree, no pip cache", "sqlite", f"{times[0]:.1f} s", load),
        Figure("`make run` to health 200: second start", "sqlite", f"{times[1]:.1f} s", load),
    ]


def copy_tree(to: Path) -> None:
    """Copy what git would put into a clone, and what is not committed yet."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout  # noqa: S603
    for name in filter(None, listing.decode().split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
