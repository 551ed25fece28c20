"""An update under load: `python -m trials.update`. New code takes over while songs are made; nobody may notice.

It does what deploy/update does with containers: the new version prepares, its app joins the old one and gets healthy,
the old app finishes and ends, then the worker. nginx lists both apps here; in compose it looks them up.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from trials.chaos import ACTIVE, TABLES
from trials.harbour import Harbour, harboured
from trials.loading import Load
from trials.picture_verdict import judge_pictures
from trials.resting import copy_tree
from trials.studio import POSTGRES, REDIS, ledger_of, say
from trials.verdict import Verdict, judge
from trials.wishes import PICTURE, SONG, picture, song

SETTLE_SECONDS = 300.0
PICTURES = 8


def new_version(harbour: Harbour, number: int) -> Path:
    """Return a copy of the code that differs: its style sheet has another name for browsers."""
    tree = harbour.folder / f"version-{number}"
    copy_tree(tree)
    with (tree / "static/css/macai.css").open("a", encoding="utf-8") as css:
        css.write(f"\n/* version {number} */\n")
    return tree


def roll(harbour: Harbour, tree: Path) -> str:
    """Put a version in the place of the running one. Return how long each part took."""
    began = time.monotonic()
    harbour.prepare(tree)
    prepared = time.monotonic()
    old_app, free = harbour.apps
    new_app = harbour.program(f"app-{tree.name}", tree)
    new_app.port = free.port  # one of the two that nginx knows
    harbour.start_app(new_app)
    joined = time.monotonic()
    time.sleep(2)
    stopping = time.monotonic()
    app_seconds = old_app.stop(140)
    harbour.apps = [new_app, old_app]
    worker_seconds = harbour.workers[0].stop(140)
    worker = harbour.program(f"worker-{tree.name}", tree)
    harbour.start_worker(worker)
    harbour.workers = [worker]
    return (
        f"prepared in {prepared - began:.1f} s, new app alive after {joined - prepared:.1f} s, "
        f"old app finished in {app_seconds:.1f} s, old worker in {worker_seconds:.1f} s, "
        f"{time.monotonic() - stopping:.1f} s from the first stop to the last start"
    )


def trial(harbour: Harbour, options: argparse.Namespace) -> Verdict:
    """Roll while songs and pictures are asked for and made; then count."""
    load = Load(harbour)
    trees = [new_version(harbour, number) for number in range(1, options.rounds + 1)]
    load.begin()
    seed = int(time.time()) % 100_000
    wishes = [song(number, seed, options.songs_seconds) for number in range(options.songs)]
    pictures = [picture(number, seed) for number in range(PICTURES)]
    window = 2.0 * options.songs * options.songs_seconds / 10
    load.ask_for(wishes, window / 2)
    load.ask_for(pictures, window / 2)
    verdict = Verdict()
    for number, tree in enumerate(trees, start=1):
        time.sleep(window / 8)
        verdict.figures[f"update {number}"] = roll(harbour, tree)
    settled = settle(harbour, load, len(wishes) + len(pictures))
    load.end()
    return judged(harbour, load, verdict, settled=settled, wanted=len(wishes) + len(pictures))


def settle(harbour: Harbour, load: Load, wanted: int) -> bool:
    """Wait until every wish is accepted and no job is active."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while load.accepted < wanted or any(harbour.profile.count(ACTIVE.format(table)) for table in TABLES):
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def judged(
    harbour: Harbour, load: Load, verdict: Verdict, *, settled: bool, wanted: int, is_planned: bool = True
) -> Verdict:
    """Compare rows, files and ledger, and look at every answer."""
    found = judge(harbour.profile, load.wishes[SONG], ledger_of(harbour.mock), 10)
    judge_pictures(found, harbour.profile, load.wishes[PICTURE], ledger_of(harbour.mock, "openai"), 4)
    found.figures = verdict.figures | found.figures | dict(sorted(load.answers.items()))
    found.must(settled, f"Jobs were still active {SETTLE_SECONDS:.0f} s after the last wish.")
    found.must(load.accepted == wanted, f"{load.accepted} of {wanted} wishes were accepted.")
    for label in ("songs: uncertain", "pictures: uncertain") if is_planned else ():
        found.must(not found.figures.get(label), f"{label}: {found.figures.get(label)} in a planned update.")
    found.violations += verdict.violations + load.troubles
    return found


def main(arguments: Iterable[str]) -> int:
    """Run the trial. Return the exit status."""
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("--songs", type=int, default=50)
    parser.add_argument("--songs-seconds", type=int, default=8, help="how long the mock works on a song")
    parser.add_argument("--rounds", type=int, default=2, help="how many updates, one after the other")
    parser.add_argument("--postgres", default=POSTGRES, help="the database macai_harbour on it is made anew")
    parser.add_argument("--redis", default=REDIS, help="it is emptied")
    options = parser.parse_args(list(arguments))
    with harboured("update", postgres=options.postgres, redis_url=options.redis) as harbour:
        status = report("update", trial(harbour, options))
        if status:
            raise SystemExit(status)  # inside, so that logs, rows and files are kept
    return status


def report(name: str, verdict: Verdict) -> int:
    """Print figures and violations. Return the exit status."""
    say(f"\n| {name} | |\n|---|---|")
    for label, value in verdict.figures.items():
        say(f"| {label} | {value} |")
    for sentence in verdict.violations:
        say(f"VIOLATION: {sentence}")
    say("PASSED" if not verdict.violations else f"FAILED: {len(verdict.violations)} violations")
    return int(bool(verdict.violations))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
