"""Pictures: our time on top of the provider's, small versions, a gallery of 100,000, and memory while many arrive."""

import io
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import ViewportSize, sync_playwright

from trials.following import wait_until_asleep
from trials.picture_rows import LARGE, grain, painted
from trials.resting import memory_of
from trials.stage import Figure, Stage, spread, staged
from trials.studio import ROOT, ledger_of, processes_on, seconds_of

SIDES = (320, 640)  # images.keeping.SIDES
WORK_SECONDS = 2  # that the mock works on a picture, painting included
ACTIVE = "SELECT count(*) AS n FROM image_requests WHERE status IN ('PENDING', 'PROGRESS')"
ENDS = "SELECT prompt, completed_at FROM image_requests WHERE status = 'SUCCESS'"
REQUESTS = 50
GALLERY = {
    "first page": "/images/",
    "page 500": "/images/?page=500",
    "rating=1": "/images/?rating=1",
    "model=gpt-image-2.5-flare": "/images/?model=gpt-image-2.5-flare",
    "q=zanzibar (rare)": "/images/?q=zanzibar",
    "q=harbour (common)": "/images/?q=harbour",
}
SCREENS: dict[str, tuple[ViewportSize, float]] = {
    "1440 x 900": ({"width": 1440, "height": 900}, 1),
    "phone, 390 x 844 at 3x": ({"width": 390, "height": 844}, 3),
}


def everything(name: str, servers: Mapping[str, str], rows: int) -> list[Figure]:
    """Measure all of it on one profile."""
    return [*waiting(name, servers), *gallery(name, servers, rows), *arriving(name, servers)]


# --- An API client that waits ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A picture that an API client asked and waited for; seconds since 1970."""

    prompt: str
    began: float
    ended: float


def ask(stage: Stage, **wish: Any) -> Asked:
    """Ask for a picture and wait for it."""
    prompt = f"a lighthouse, {uuid.uuid4()}, {WORK_SECONDS}s"
    began = time.time()
    answer = stage.client.request_pictures(prompt, prompt=prompt, size="1024x1024", **wish)
    ended = time.time()
    if answer.status_code != 201:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
    return Asked(prompt, began, ended)


def waiting(name: str, servers: Mapping[str, str], pictures: int = 30) -> list[Figure]:
    """Ask for pictures one at a time, of a studio that sleeps and of one that follows, and wait for each."""
    pauses = random.Random(pictures)  # noqa: S311  the same every time
    with staged(name, servers, limit=2) as stage:
        stage.warm_up()
        for _picture in range(6):
            ask(stage)  # whichever worker follows has loaded what it needs
        sleeping, following = [], []
        for _picture in range(pictures):
            time.sleep(pauses.uniform(0.3, 1.3))
            following.append(ask(stage))
        for _picture in range(pictures):
            wait_until_asleep(stage)
            time.sleep(pauses.uniform(0, 1))
            sleeping.append(ask(stage))
        load = os.getloadavg()[0]
        figures = []
        for label, asked in (("studio at rest", sleeping), ("follower runs", following)):
            figures += parts_of(stage, name, label, asked, load)
    return figures


def parts_of(stage: Stage, name: str, label: str, asked: Sequence[Asked], load: float) -> list[Figure]:
    """Return our share of the time, and where it goes."""
    ledger = {entry["prompt"]: entry for entry in ledger_of(stage.mock, "openai")} if stage.mock else {}
    rows = {row["prompt"]: seconds_of(row["completed_at"]) for row in stage.studio.profile.rows(ENDS)}
    starts = {one: ledger[one.prompt]["created_at"] for one in asked}
    ends = {one: ledger[one.prompt]["finished_at"] for one in asked}
    parts = {
        f"POST /api/v1/images/ (1024 x 1024 PNG), {label}: our time on top of the provider's": [
            one.ended - one.began - (ends[one] - starts[one]) for one in asked
        ],
        "… request to the provider's acceptance": [starts[one] - one.began for one in asked],
        "… provider's end to SUCCESS, files at home": [rows[one.prompt] - ends[one] for one in asked],
        "… SUCCESS to the client's last byte": [one.ended - rows[one.prompt] for one in asked],
    }
    return [Figure(what, name, spread(seconds, unit="ms"), load) for what, seconds in parts.items()]


# --- Small versions -------------------------------------------------------------------------------------------------


def small_versions(seconds: float = 8.0) -> list[Figure]:
    """Make small versions of different pictures in one thread."""
    from library import pictures  # noqa: PLC0415  needs no settings, but those who kill need no Pillow

    figures = []
    for label, size in (("1024 x 1024", (1024, 1024)), ("3840 x 2160", (3840, 2160))):
        files = [painted(size, number) for number in range(10)]
        count, started = 0, time.perf_counter()
        while (took := time.perf_counter() - started) < seconds:
            pictures.thumbnails(io.BytesIO(files[count % len(files)]), SIDES)
            count += 1
        mean = sum(map(len, files)) / len(files) / 1e6
        value = f"{len(SIDES) * count / took:.1f} a second ({1000 * took / count:.0f} ms a picture)"
        what = f"Thumbnails (320 and 640 px) of {label} PNGs of {mean:.1f} MB, one thread"
        figures.append(Figure(what, "-", value, os.getloadavg()[0]))
    return figures


# --- The gallery ----------------------------------------------------------------------------------------------------


def gallery(name: str, servers: Mapping[str, str], rows: int) -> list[Figure]:
    """Ask for pages of a large gallery, one request at a time over one connection; then look at it with a browser."""
    figures = []
    with staged(name, servers) as stage:
        inside(stage, "fill", str(rows))
        cookie = inside(stage, "cookie")
        for label, path in GALLERY.items():
            with requests.Session() as session:
                session.cookies.set("sessionid", cookie)
                sizes, times = zip(*[page(stage, path, session) for _request in range(REQUESTS + 5)][5:], strict=True)
            load = os.getloadavg()[0]
            count = json.loads(inside(stage, "queries", path))["queries"]
            value = f"{spread(times, unit='ms')}, {count} queries, {max(sizes) / 1000:.0f} kB of HTML"
            figures.append(Figure(f"Gallery of {rows:,} pictures: {label}", name, value, load))
        for label, (viewport, scale) in SCREENS.items():
            value = first_screen(stage, cookie, viewport, scale)
            figures.append(Figure(f"… first screen, {label}, empty browser cache", name, value, os.getloadavg()[0]))
    return figures


def page(stage: Stage, path: str, session: requests.Session) -> tuple[int, float]:
    """Return how many bytes a page has, and how many seconds it takes to the last of them."""
    started = time.perf_counter()
    answer = session.get(stage.studio.url + path, timeout=60, allow_redirects=False)
    took = time.perf_counter() - started
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return len(answer.content), took


def first_screen(stage: Stage, cookie: str, viewport: ViewportSize, scale: float) -> str:
    """Open the gallery in Chromium and return what it fetched until it was quiet."""
    kinds: dict[str, str] = {}
    sums: dict[str, list[int]] = {}

    def note(event: dict[str, Any]) -> None:
        sums.setdefault(kinds.get(event["requestId"], "Other"), []).append(int(event["encodedDataLength"]))

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(viewport=viewport, device_scale_factor=scale)
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": stage.studio.url}])
        tab = context.new_page()
        wire = context.new_cdp_session(tab)
        wire.on("Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]}))
        wire.on("Network.loadingFinished", note)
        wire.send("Network.enable")
        tab.goto(f"{stage.studio.url}/images/", wait_until="networkidle")
        browser.close()
    total = sum(map(sum, sums.values()))
    parts = ", ".join(
        f"{kind.lower()} {sum(sizes) / 1000:.0f} kB ({len(sizes)})" for kind, sizes in sorted(sums.items())
    )
    return f"{total / 1000:.0f} kB: {parts}"


# --- Memory ---------------------------------------------------------------------------------------------------------


class Scale:
    """Weighs all processes of a studio, again and again, in a thread."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.most = 0.0  # MB of PSS, of all processes together
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Scale":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()

    def now(self) -> float:
        """Return the PSS of all processes in MB."""
        total = 0.0
        for process in processes_on(self.stage.studio.profile.data_dir):
            with suppress(OSError, ValueError):  # it has just ended
                total += memory_of(process.pid)[1]
        return total

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, self.now())


def peak_of(pid: int) -> float:
    """Return the most memory that a process ever had resident, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def arriving(name: str, servers: Mapping[str, str], pictures: int = 20, seconds: int = 60) -> list[Figure]:
    """Have large pictures arrive at once: of as many requests, and of two requests for ten each."""
    figures = []
    for requests_at_once, each in ((pictures, 1), (2, pictures // 2)):
        with staged(name, servers, limit=2, threads=32) as stage:
            stage.warm_up()
            inside(stage, "allow", str(pictures))
            for _picture in range(4):
                ask(stage)
            time.sleep(10)
            scale = Scale(stage)
            rest = scale.now()
            with scale:
                ask_for_large(stage, requests_at_once, each, seconds)
                load = os.getloadavg()[0]
            after = scale.now()
            workers = [one.pid for one in processes_on(stage.studio.profile.data_dir) if "worker" in one.command]
            rows = stage.studio.profile.rows(f"SELECT bytes FROM generated_images WHERE size = '{LARGE}'")  # noqa: S608
            mean = sum(row["bytes"] for row in rows) / max(1, len(rows)) / 1e6
            peak = max(map(peak_of, workers))
        what = f"{requests_at_once} requests for {each} of {LARGE} (PNG of {mean:.1f} MB) that end at the same time"
        value = (
            f"PSS {rest:.0f} MB before, {scale.most:.0f} MB at most, {after:.0f} MB after; largest worker {peak:.0f} MB"
        )
        figures.append(Figure(f"{what}: memory of all processes", name, value, load))
        figures.append(Figure("… pictures at home", name, f"{len(rows)} of {pictures}", load))
    return figures


def ask_for_large(stage: Stage, count: int, each: int, seconds: int) -> None:
    """Ask for large pictures at once and wait until all are done."""

    reference = stage.client.upload(grain())

    def send(number: int) -> None:
        prompt = f"a harbour, {number}, {uuid.uuid4()}, {seconds}s"
        wish: dict[str, Any] = {"prompt": prompt, "size": LARGE, "n": each, "reference_ids": [reference]}
        stage.client.request_pictures(prompt, prefer="respond-async", **wish).raise_for_status()

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(send, range(count)))
    give_up_at = time.monotonic() + 600
    while stage.studio.profile.count(ACTIVE):
        if time.monotonic() > give_up_at:
            raise RuntimeError(f"Pictures are still active; see {stage.studio.log}.")
        time.sleep(1)


def inside(stage: Stage, *arguments: str) -> str:
    """Run a command of trials.picture_rows on the studio's database."""
    done = subprocess.run(  # noqa: S603  the command is ours
        [sys.executable, "-m", "trials.picture_rows", *arguments],
        cwd=ROOT,
        env=stage.studio.environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout
