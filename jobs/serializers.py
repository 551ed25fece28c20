"""Jobs as JSON: what the API doors of every kind of job share."""

from rest_framework import serializers

from jobs.models import JobEvent


class EventSerializer(serializers.ModelSerializer[JobEvent]):
    """A line of a job's history."""

    class Meta:
        model = JobEvent
        fields = ["at", "text"]
        read_only_fields = fields
