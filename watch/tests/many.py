"""Many who watch and count at once, each with a connection of its own; run by test_many.py, also as a program."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

MANY = 6


def at_once(work: Callable[[], None]) -> list[str]:
    """Run `work` in many threads at once. Return what broke."""
    from django.db import connections  # noqa: PLC0415  Django is set up by the one who runs it

    together, broken = threading.Barrier(MANY), list[str]()

    def run() -> None:
        try:
            together.wait(timeout=20)
            work()
        except BaseException as error:  # noqa: BLE001
            broken.append(repr(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(MANY)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    return broken


def watch_and_count() -> dict[str, Any]:
    """Let many see the same things turn red and green, and count the same things; return what came of it."""
    from django.conf import settings  # noqa: PLC0415
    from django.db.models import F  # noqa: PLC0415

    from providers import webhook  # noqa: PLC0415
    from watch import alerts, counting  # noqa: PLC0415
    from watch.models import Alert, Tally  # noqa: PLC0415

    sent: list[str] = []
    settings.ALERT_WEBHOOK_URL, settings.ALERT_AFTER_SECONDS = "https://hook.example/", 30

    def keep(url: str, body: dict[str, Any]) -> None:
        sent.extend(f"{body['event']} {line['check']}" for line in body["checks"])

    webhook.post = keep
    red = {name: alerts.Reading(name != "cache", "no_answer", "No.") for name in ("worker", "disk", "cache")}
    broken: list[str] = []
    for readings in (red, red, dict.fromkeys(red, alerts.Reading(is_red=False))):

        def look(readings: dict[str, alerts.Reading] = readings) -> None:
            for _look in range(3):
                alerts.observe(readings)
                alerts.announce()

        broken += at_once(look)
        ago = timedelta(seconds=31)
        Alert.objects.update(since=F("since") - ago, next_try_at=F("next_try_at") - ago)
        broken += at_once(look)

    def count() -> None:
        for _round in range(5):
            for at_most in (0.1, 0.5, 1.0):
                counting.add_up(("call", "a\tb\tc", at_most), 2, 0.5)

    broken += at_once(count)
    return {"sent": sorted(sent), "broken": broken, "counts": list(Tally.objects.values_list("count", flat=True))}


if __name__ == "__main__":
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps(watch_and_count()))  # noqa: T201
