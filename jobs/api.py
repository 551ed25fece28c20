"""The queue as an API: what a person looks at when something takes long."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from jobs import overview
from jobs.models import Charge, Phase, Status


class WorkerSerializer(serializers.Serializer[Any]):
    """A group of worker processes that is alive: one without a heartbeat for three seconds is not listed."""

    id = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    status = serializers.CharField(help_text=_("The queue's own word: Starting, Idle, Working, Stopping, Stopped."))
    processes = serializers.IntegerField(source="workers")
    started_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(help_text=_("The last heartbeat."))
    tasks_inside = serializers.IntegerField(help_text=_("Tasks taken from the queue and not yet reported."))
    reincarnations = serializers.IntegerField(help_text=_("Processes that died and were replaced."))


class JobLineSerializer(serializers.Serializer[Any]):
    """A job of any kind, in one line."""

    kind = serializers.CharField(source="_meta.label_lower", help_text=_("songs.song or songs.stemseparation."))
    id = serializers.UUIDField()
    title = serializers.CharField(source="__str__")
    status = serializers.ChoiceField(choices=Status.choices)
    phase = serializers.ChoiceField(choices=Phase.choices)
    problem = serializers.CharField(allow_blank=True)
    error_message = serializers.CharField(allow_blank=True)
    charge = serializers.ChoiceField(choices=Charge.choices)
    cost = serializers.DecimalField(max_digits=10, decimal_places=4, help_text=_("US dollars."))
    queued_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)


class QueueSerializer(serializers.Serializer[Any]):
    """The engine at a glance."""

    workers = WorkerSerializer(many=True, source="clusters")
    is_followed = serializers.BooleanField(help_text=_("Whether a worker follows the running jobs at this moment."))
    worked_at = serializers.DateTimeField(allow_null=True, help_text=_("When a worker last showed that it works."))
    waiting = serializers.IntegerField(source="counts.waiting")
    submitting = serializers.IntegerField(source="counts.submitting")
    running = serializers.IntegerField(source="counts.running")
    saving = serializers.IntegerField(source="counts.saving")
    uncertain = serializers.IntegerField(
        source="counts.uncertain", help_text=_("Paid requests whose answer was lost: a person decides.")
    )
    oldest_waiting_seconds = serializers.FloatField(allow_null=True)
    running_jobs = JobLineSerializer(many=True, source="running", help_text=_("At most 50, the oldest first."))
    last_failures = JobLineSerializer(many=True, source="failures", help_text=_("At most 20, the newest first."))


class QueueView(APIView):
    """The queue, its workers and its troubles."""

    @extend_schema(
        operation_id="queue_retrieve",
        tags=["studio"],
        summary="Show workers, jobs at work and the last failures",
        responses=QueueSerializer,
    )
    def get(self, request: Request) -> Response:
        """Show the workers that are alive, how many jobs wait or run, and what failed last."""
        return Response(QueueSerializer(overview.look()).data)
