"""The studio's health as an API, for whoever watches it: open to all, and nothing secret in it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from macai import health
from macai.findings import Finding, State, worst

READY = ("database", "migrations")


class FindingSerializer(serializers.Serializer[Any]):
    """What a look at one thing has found."""

    ok = serializers.BooleanField(source="is_ok", help_text=_("False if it keeps the studio from working."))
    state = serializers.ChoiceField(choices=State.choices)
    code = serializers.CharField(help_text=_("A short word for programs, such as ok, no_answer, too_slow, low."))
    message = serializers.CharField(help_text=_("One sentence for people."))
    value = serializers.FloatField(allow_null=True, help_text=_("The figure that was looked at, if there is one."))
    unit = serializers.CharField(allow_blank=True, help_text=_("ms, s, h, MB, tasks or migrations."))


class ChecksSerializer(serializers.Serializer[Any]):
    """All things of the studio's own that are looked at."""

    database = FindingSerializer()
    migrations = FindingSerializer()
    cache = FindingSerializer()
    broker = FindingSerializer()
    worker = FindingSerializer()
    queue = FindingSerializer()
    storage = FindingSerializer()
    disk = FindingSerializer()
    backup = FindingSerializer()


class ReadyChecksSerializer(serializers.Serializer[Any]):
    """What must be well before anybody is let in."""

    database = FindingSerializer()
    migrations = FindingSerializer()


class HealthSerializer(serializers.Serializer[Any]):
    """Whether the studio is well."""

    status = serializers.ChoiceField(
        choices=State.choices,
        help_text=_("The worst state among the checks: failing is answered 503, ok and warning 200."),
    )
    checked_at = serializers.DateTimeField()
    checks = ChecksSerializer()
    providers = serializers.DictField(
        child=FindingSerializer(), help_text=_("The services outside, as last seen. They never make the studio fail.")
    )


class ReadySerializer(serializers.Serializer[Any]):
    """Whether the studio may be sent requests."""

    status = serializers.ChoiceField(choices=State.choices)
    checked_at = serializers.DateTimeField()
    checks = ReadyChecksSerializer()


class LiveSerializer(serializers.Serializer[Any]):
    """That the process answers."""

    status = serializers.CharField(help_text=_("ok"))


class OpenView(APIView):
    """What anybody may ask, in JSON that nobody keeps."""

    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_classes = []  # who watches asks again and again; a 429 would look like an ill studio
    renderer_classes = [JSONRenderer]

    def answer(self, checks: dict[str, Finding], **more: Any) -> Response:
        """Answer with what was found: 503 if anything fails."""
        state = worst(list(checks.values()))
        code = status.HTTP_503_SERVICE_UNAVAILABLE if state == State.FAILING else status.HTTP_200_OK
        found = {"status": state.value, "checked_at": timezone.now(), "checks": described(checks)} | more
        return Response(found, status=code, headers={"Cache-Control": "no-store"})


def described(findings: dict[str, Finding]) -> dict[str, Any]:
    """Return findings as the API shows them."""
    return {name: FindingSerializer(finding).data for name, finding in findings.items()}


class HealthView(OpenView):
    """The studio's health."""

    @extend_schema(
        operation_id="health_retrieve",
        tags=["studio"],
        summary="Tell whether the studio is well",
        auth=[],
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, request: Request) -> Response:
        """Look at everything the studio needs: 503 if any of it fails, else 200. Takes 2 s at most."""
        return self.answer(health.memory.look(), providers=described(health.providers()))


class ReadyView(OpenView):
    """Whether the studio may be sent requests."""

    @extend_schema(
        operation_id="health_ready",
        tags=["studio"],
        summary="Tell whether requests may be sent here",
        auth=[],
        responses={200: ReadySerializer, 503: ReadySerializer},
    )
    def get(self, request: Request) -> Response:
        """Look whether the database answers and its tables are those of this version: 200, else 503."""
        return self.answer(health.look(READY))


class LiveView(OpenView):
    """That the process answers."""

    @extend_schema(
        operation_id="health_live",
        tags=["studio"],
        summary="Tell that the web server answers",
        auth=[],
        responses=LiveSerializer,
    )
    def get(self, request: Request) -> Response:
        """Answer 200 without looking at anything: what restarts a process must not do so because of a database."""
        return Response({"status": State.OK.value}, headers={"Cache-Control": "no-store"})
