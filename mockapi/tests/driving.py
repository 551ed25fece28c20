"""Driving the mock in tests: a client with a key, and the bodies it sends."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from mockapi.models import FIRST_TASK_ID, MurekaTask

LYRICS = "[Verse 1]\nWalking down the empty road\nHome is far away\n\n[Chorus]\nSing with me\n"
Body = dict[str, Any]


def make_song(**overrides: Any) -> Body:
    return {"lyrics": LYRICS, "model": "auto", "n": 2, "prompt": "soft pop, piano"} | overrides


def make_instrumental(**overrides: Any) -> Body:
    return {"prompt": "slow jazz", "model": "auto", "n": 2} | overrides


class Mureka:
    """A client that talks to the mock as a program would."""

    def __init__(self) -> None:
        self.client = Client(headers={"authorization": "Bearer any-key"})

    def post(self, path: str, body: Any, status: int = 200) -> Body:
        response = self.client.post(f"/mock/mureka/v1/{path}", body, content_type="application/json")
        assert response.status_code == status, response.content
        answer: Body = response.json()
        return answer

    def get(self, path: str, status: int = 200) -> Body:
        response = self.client.get(f"/mock/mureka/{path}")
        assert response.status_code == status, response.content
        answer: Body = response.json()
        return answer

    def song(self, **overrides: Any) -> Body:
        return self.post("song/generate", make_song(**overrides))

    def query(self, task_id: str, kind: str = "song", status: int = 200) -> Body:
        return self.get(f"v1/{kind}/query/{task_id}", status)

    def ledger(self) -> list[Body]:
        submissions: list[Body] = self.get("ledger")["submissions"]
        return submissions

    def download(self, url: str, status: int = 200) -> bytes:
        response = Client().get(url)
        assert response.status_code == status
        return response.getvalue() if status == 200 else b""


def age(task_id: str, *, share: float) -> None:
    """Move a task in time: `share` of its work is done, all of it at 1."""
    now, hour = timezone.now(), timedelta(hours=1)
    tasks = MurekaTask.objects.filter(pk=int(task_id) - FIRST_TASK_ID)
    tasks.update(created_at=now - hour * share, ready_at=now + hour * (1 - share))
