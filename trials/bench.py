"""The benchmarks: `python -m trials.bench [what ...]`. Prints the rows of docs/benchmarks.md."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import psycopg
import redis

from trials import following, picturing, recovering, resting, talking
from trials.stage import Figure
from trials.studio import POSTGRES, REDIS, say

Measure = Callable[[str, Mapping[str, str]], list[Figure]]


def measures(options: argparse.Namespace) -> dict[str, Measure]:
    """Return what can be measured on each profile."""
    return {
        "rest": resting.at_rest,
        "submit": following.until_submitted,
        "limit": following.with_a_limit,
        "follow": partial(following.many_in_flight, songs=options.songs),
        "list": partial(resting.large_library, songs=options.rows),
        "pictures": partial(picturing.everything, rows=options.rows),
        "chat": partial(talking.everything, messages=options.messages),
        "backup": partial(recovering.figures, songs=options.backup_songs, gigabytes=options.backup_gb),
    }


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    names = ["start", "rest", "submit", "limit", "follow", "list", "pictures", "chat", "nginx", "backup"]
    parser.add_argument("what", nargs="*", default=names, metavar="what", help=f"of {', '.join(names)}; without: all")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--songs", type=int, default=500, help="songs in flight at once")
    parser.add_argument("--rows", type=int, default=100_000, help="songs, or pictures, in the library that is listed")
    parser.add_argument("--messages", type=int, default=2000, help="of the conversation that is opened")
    parser.add_argument("--backup-songs", type=int, default=10_000, help="songs in the library that is backed up")
    parser.add_argument("--backup-gb", type=float, default=5.0, help="gigabytes of its files; twice as much is needed")
    parser.add_argument("--postgres", default=POSTGRES, help="the database macai_bench on it is made anew")
    parser.add_argument("--redis", default=REDIS, help="it is emptied")
    options = parser.parse_args(arguments)
    if unknown := set(options.what) - set(names):
        parser.error(f"cannot measure {', '.join(sorted(unknown))}")
    return options


def machine(options: argparse.Namespace) -> str:
    """Return on what it was measured."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{os.cpu_count()} cores ({models[0].split(': ')[1]})" if models else f"{os.cpu_count()} cores"]
    parts += [f"{memory:.0f} GB", platform.platform(terse=True), f"Python {platform.python_version()}"]
    if options.database != "sqlite":
        with psycopg.connect(f"{options.postgres}/postgres") as server:
            parts.append(f"PostgreSQL {server.info.server_version // 10_000}")
        parts.append(f"Redis {redis.Redis.from_url(options.redis).info('server')['redis_version']}")
    return ", ".join(parts)


def show(figures: Iterable[Figure]) -> None:
    """Print rows of the table."""
    for figure in figures:
        say(f"| {figure.what} | {figure.profile} | {figure.value} | {figure.load:.1f} |")


def main(arguments: list[str]) -> int:
    """Measure what was asked for. Return the exit status."""
    options = read_options(arguments)
    servers = {"postgres": options.postgres, "redis_url": options.redis}
    profiles = ["sqlite", "postgres"] if options.database == "both" else [options.database]
    say(machine(options))
    say("\n| what | profile | figure | load |\n|---|---|---|---|")
    if "start" in options.what:
        show(resting.starts())
    if "pictures" in options.what:
        show(picturing.small_versions())
    if "nginx" in options.what:
        show(talking.first_word_through_nginx(servers))
    for name, measure in measures(options).items():
        if name in options.what:
            for profile in profiles:
                show(measure(profile, servers))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
