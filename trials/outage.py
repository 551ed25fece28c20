"""Outages under load: `python -m trials.outage`. One part after the other is stopped for a minute and started again.

PostgreSQL and Redis are this trial's own. Nobody lends a hand: what ends is started again as Docker would, and that is
all. Songs and pictures are asked for all the while, by programs that send again what got no answer.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from trials.harbour import Harbour, harboured
from trials.loading import Load
from trials.studio import free_port, say
from trials.update import judged, report, settle
from trials.verdict import Verdict
from trials.wishes import picture, song

LIMIT = 10  # songs at once at the mock
GREEN_SECONDS = 90.0  # within which all must be well after the part is back
QUIET_SECONDS = 35.0  # after which all is told (watch.alerts.GREEN_FOR, macai.watchman.LOOK_EVERY)
WEB_TOLD_AFTER = 180.0  # the worker's schedule tells of a web server that is away, once a minute
WISHES = {"songs": 12, "pictures": 4}  # asked for during each outage


class Listener:
    """Takes alerts, as the program of somebody who is woken by them."""

    def __init__(self) -> None:
        self.port = free_port()
        self.heard: list[dict[str, Any]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Keep what is told."""
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                listener.heard.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  # the base class names it so
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Return where alerts are sent."""
        return f"http://127.0.0.1:{self.port}/alerts"


class Keeper:
    """Starts an app or a worker again that has ended by itself, as the restart policy of compose does."""

    def __init__(self, harbour: Harbour) -> None:
        self.harbour = harbour
        self.resting: set[str] = set()  # stopped on purpose
        self.restarts: dict[str, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        app, worker = self.harbour.apps[0], self.harbour.workers[0]
        starts: list[tuple[Any, Callable[[], None]]] = [
            (app, lambda: app.start(*self.harbour.command("app"))),
            (worker, lambda: worker.start(*self.harbour.command("worker"))),
        ]
        while not self._over.wait(1):
            for program, start in starts:
                if program.name not in self.resting and not program.is_running:
                    self.restarts[program.name] = self.restarts.get(program.name, 0) + 1
                    start()

    def end(self) -> None:
        """Leave things as they are."""
        self._over.set()
        self._thread.join(10)


@dataclass
class Outage:
    """One part that is stopped and started again, and when it was seen."""

    name: str
    stop: Callable[[], None]
    start: Callable[[], None]
    shows: str  # the check of the health that turns red; empty: the whole answer is away
    told_as: str  # the check of which an alert tells
    red_after: float | None = None
    green_after: float | None = None
    alerts: list[str] = field(default_factory=list)


def outages(harbour: Harbour, keeper: Keeper) -> list[Outage]:
    """Return all parts, in the order in which they fail."""
    app, worker = harbour.apps[0], harbour.workers[0]
    if harbour.postgres is None or harbour.redis is None:
        raise RuntimeError("The trial needs servers of its own.")

    def stop_program(program: Any) -> None:
        keeper.resting.add(program.name)
        program.stop(140)

    return [
        Outage("postgres", harbour.postgres.stop, harbour.postgres.start, "database", "database"),
        Outage("redis", harbour.redis.stop, harbour.redis.start, "cache", "cache"),
        Outage("nginx", harbour.nginx.stop, harbour.nginx.start, "", "front"),
        Outage("worker", lambda: stop_program(worker), lambda: keeper.resting.discard(worker.name), "worker", "worker"),
        Outage("app", lambda: stop_program(app), lambda: keeper.resting.discard(app.name), "", "web"),
        Outage("mock", lambda: stop_program(harbour.mock), harbour.mock.start, "mureka", "mureka"),
    ]


def suffer(outage: Outage, harbour: Harbour, seconds: float, heard: Listener) -> None:
    """Stop a part, watch the health, start it again, and watch until all is well."""
    told_before = len(heard.heard)
    outage.stop()
    began = time.monotonic()  # a worker, for one, is stopped when it has stopped
    while time.monotonic() - began < seconds:
        if outage.red_after is None and not is_well(harbour, outage.shows):
            outage.red_after = time.monotonic() - began
        time.sleep(0.5)
    back = time.monotonic()
    outage.start()
    while time.monotonic() - back < GREEN_SECONDS:
        if is_well(harbour, outage.shows) and is_well(harbour):
            outage.green_after = time.monotonic() - back
            break
        time.sleep(0.5)
    time.sleep(QUIET_SECONDS)
    for told in heard.heard[told_before:]:
        outage.alerts += [f"{line['check']} {told['event']}" for line in told["checks"]]


def is_well(harbour: Harbour, check: str = "") -> bool:
    """Tell whether the studio, or one thing in its health, is well."""
    status, checks = harbour.health()
    return checks.get(check, status == 200) if check and status else status == 200


def trial(harbour: Harbour, options: argparse.Namespace, heard: Listener) -> Verdict:
    """Have each part fail while songs and pictures are asked for; then count."""
    load, keeper, verdict = Load(harbour), Keeper(harbour), Verdict()
    load.begin()
    seed = int(time.time()) % 100_000
    wanted = 0
    chosen = [outage for outage in outages(harbour, keeper) if outage.name in options.parts]
    for number, outage in enumerate(chosen):
        songs = [song(WISHES["songs"] * number + each, seed, 8) for each in range(WISHES["songs"])]
        pictures = [picture(WISHES["pictures"] * number + each, seed) for each in range(WISHES["pictures"])]
        wanted += len(songs) + len(pictures)
        load.ask_for(songs, options.seconds + 10)
        load.ask_for(pictures, options.seconds + 10)
        time.sleep(5)
        say(f"{outage.name} is stopped for {options.seconds:.0f} s.")
        suffer(outage, harbour, options.seconds, heard)
        verdict.figures[f"{outage.name} away for {options.seconds:.0f} s"] = described(outage)
        say(f"{outage.name}: {described(outage)}")
        verdict.must(outage.red_after is not None, f"{outage.name} was away, and the health stayed green.")
        verdict.must(outage.green_after is not None, f"{outage.name} is back, and the health is still red.")
        if outage.name != "app" or options.seconds >= WEB_TOLD_AFTER:
            told = [outage.alerts.count(f"{outage.told_as} {event}") for event in ("red", "green")]
            verdict.must(told == [1, 1], f"{outage.name}: one alert when red and one when green, not {outage.alerts}.")
            verdict.must(len(set(outage.alerts)) == len(outage.alerts), f"{outage.name}: told twice, {outage.alerts}.")
    settled = settle(harbour, load, wanted)
    load.end()
    keeper.end()
    verdict.figures["started again by the restart policy"] = keeper.restarts or 0
    # Nobody is promised an answer while a part is away; whoever got none has asked again.
    load.troubles.clear()
    return judged(harbour, load, verdict, settled=settled, wanted=wanted, is_planned=False)


def described(outage: Outage) -> str:
    """Return when it was seen."""
    red = "never" if outage.red_after is None else f"after {outage.red_after:.1f} s"
    green = "never" if outage.green_after is None else f"{outage.green_after:.1f} s after its return"
    return f"red {red}, all green {green}" + (f", alerts: {', '.join(outage.alerts)}" if outage.alerts else "")


def main(arguments: Iterable[str]) -> int:
    """Run the trial. Return the exit status."""
    parser = argparse.ArgumentParser(prog="make outage", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each part is away")
    parser.add_argument("--parts", nargs="+", default=["postgres", "redis", "nginx", "worker", "app", "mock"])
    options = parser.parse_args(list(arguments))
    heard = Listener()
    settings = {
        "LOG_LEVEL": "INFO",
        "MUREKA_SLOT_SECONDS": "30",
        "ALERT_WEBHOOK_URL": heard.url,
        "PRIVATE_HOSTS": f"127.0.0.1:{heard.port}",
        "ALERT_AFTER_SECONDS": str(int(min(20, options.seconds / 3))),
    }
    with harboured("outage", postgres="", redis_url="", own=True, **settings) as harbour:
        verdict = trial(harbour, options, heard)
        status = report("outages", verdict)
        if status:
            raise SystemExit(status)  # inside, so that logs, rows and files are kept
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
