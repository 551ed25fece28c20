"""Songs as JSON: what a client may send, and what it gets."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.rest import BULK_LIMIT, IdField, TextField
from prompts.rest import RunField
from songs.curation import TAGS_LIMIT, TITLE_LIMIT
from songs.models import (
    FILE_KINDS,
    LYRICS_LIMIT,
    PROMPT_LIMIT,
    VARIANTS_LIMIT,
    Song,
    SongChoice,
    SongFile,
    SongModel,
    StemSeparation,
    Workflow,
)
from songs.services import GENDERS

TITLE_RUN_HELP = _("The magic run that the title came about by.")

# --- What a client gets ---------------------------------------------------------------------------------------------


class SongFileSerializer(serializers.ModelSerializer[SongFile]):
    """A file of a choice."""

    kind = serializers.ChoiceField(choices=sorted(FILE_KINDS))
    url = serializers.CharField(allow_null=True, help_text=_("Where the file is served, once it is at home."))

    class Meta:
        model = SongFile
        fields = ["kind", "state", "url", "size", "sha256", "error"]
        read_only_fields = fields

    def to_representation(self, instance: SongFile) -> dict[str, Any]:
        """Write the fields out by hand: 150 files stand in a page of songs, and DRF's way takes a third of its time."""
        address = reverse("song-choice-file", args=[instance.choice_id, instance.kind]) if instance.is_home else None
        return {
            "kind": instance.kind,
            "state": instance.state,
            "url": address,
            "size": instance.size,
            "sha256": instance.sha256,
            "error": instance.error,
        }


class SongChoiceSerializer(serializers.ModelSerializer[SongChoice]):
    """One variant of a song, as it stands in the song's row."""

    files = SongFileSerializer(many=True, read_only=True)

    class Meta:
        model = SongChoice
        fields = ["id", "choice_index", "title", "tags", "rating", "duration", "files"]
        read_only_fields = fields


class SongChoiceDetailSerializer(SongChoiceSerializer):
    """One variant of a song with its word-timed lyrics (times in milliseconds)."""

    class Meta(SongChoiceSerializer.Meta):
        fields = [
            *SongChoiceSerializer.Meta.fields, "song", "mureka_choice_id", "video_url", "image_url", "created_at",
            "updated_at", "lyrics_sections",
        ]  # fmt: skip
        read_only_fields = fields


class SongRowSerializer(serializers.ModelSerializer[Song]):
    """A song as it stands in a list: without lyrics and without Mureka's complete answer."""

    choices = SongChoiceSerializer(many=True, read_only=True)

    class Meta:
        model = Song
        fields = [
            "id", "title", "display_title", "tags", "workflow", "is_instrumental", "status", "phase", "is_uncertain",
            "problem", "error_message", "progress_info", "prompt", "model", "resolved_model", "variants", "gender",
            "charge", "cost", "spent_before", "job_id", "mureka_status", "can_cancel", "can_submit_again",
            "can_ask_again", "created_at", "updated_at", "queued_at", "submitted_at", "completed_at",
            "cancel_requested_at", "deleted_at", "choices",
        ]  # fmt: skip
        read_only_fields = fields


class SongDetailSerializer(SongRowSerializer):
    """A song in full."""

    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True, read_only=True)

    class Meta(SongRowSerializer.Meta):
        fields = [
            *SongRowSerializer.Meta.fields, "lyrics", "lyrics_written", "lyrics_magic", "lyrics_run", "prompt_written",
            "prompt_magic", "prompt_run", "title_written", "title_magic", "title_run", "error_detail",
            "mureka_response", "attempts", "requested_by",
        ]  # fmt: skip
        read_only_fields = fields


class StemsSerializer(serializers.ModelSerializer[StemSeparation]):
    """The separation of a choice; the archives are files of the choice."""

    files = serializers.SerializerMethodField()

    class Meta:
        model = StemSeparation
        fields = [
            "id", "choice", "model", "status", "phase", "is_uncertain", "problem", "error_message", "charge", "cost",
            "spent_before", "can_cancel", "can_submit_again", "created_at", "updated_at", "queued_at", "submitted_at",
            "completed_at", "files",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(SongFileSerializer(many=True))
    def get_files(self, stems: StemSeparation) -> Any:
        """Return the archives."""
        files = SongFile.objects.filter(choice=stems.choice_id, kind__in=["stems", "midi"])
        return SongFileSerializer(files, many=True).data


class SongModelSerializer(serializers.ModelSerializer[SongModel]):
    """A model that is offered, with the prices of one in US dollars; null where the model does not make that."""

    class Meta:
        model = SongModel
        fields = ["name", "description", "song_price", "instrumental_price", "stems_price", "is_default"]
        read_only_fields = fields


class CancelledSongSerializer(SongDetailSerializer):
    """A song after a wish to cancel it."""

    detail = serializers.CharField(required=False, help_text=_("Why it goes on, where it could not be stopped."))

    class Meta(SongDetailSerializer.Meta):
        fields = ["detail", *SongDetailSerializer.Meta.fields]
        read_only_fields = fields


class KeptSerializer(serializers.Serializer[Any]):
    """A song that was not deleted."""

    title = serializers.CharField()
    reason = serializers.CharField()


class DeletionSerializer(serializers.Serializer[Any]):
    """What became of a wish to delete songs."""

    deleted = serializers.IntegerField()
    kept = KeptSerializer(many=True)


class SpendingSerializer(serializers.Serializer[Any]):
    """What songs and stems cost by our price list, in US dollars."""

    charged = serializers.DecimalField(max_digits=12, decimal_places=4)
    maybe = serializers.DecimalField(max_digits=12, decimal_places=4, help_text=_("May have been charged."))


class MurekaAccountSerializer(serializers.Serializer[Any]):
    """Our account at Mureka as it was last read, and what this month cost."""

    account_id = serializers.CharField(allow_blank=True)
    balance = serializers.IntegerField(allow_null=True, help_text=_("US cents."))
    total_recharge = serializers.IntegerField(allow_null=True, help_text=_("US cents."))
    total_spending = serializers.IntegerField(allow_null=True, help_text=_("US cents."))
    concurrent_request_limit = serializers.IntegerField(help_text=_("How many songs Mureka makes at once."))
    checked_at = serializers.DateTimeField(allow_null=True, help_text=_("When the figures were read."))
    check_error = serializers.CharField(allow_blank=True, help_text=_("Why they could not be read again."))
    backoff_until = serializers.DateTimeField(allow_null=True, help_text=_("Mureka is left alone until then."))
    backoff_reason = serializers.CharField(allow_blank=True)
    spending_this_month = SpendingSerializer()


# --- What a client may send -----------------------------------------------------------------------------------------


class SongRequestSerializer(serializers.Serializer[Any]):
    """What a song is asked for with. Fields that are not named here are ignored."""

    lyrics = TextField(
        default="",
        style={"base_template": "textarea.html"},
        help_text=_("Required unless is_instrumental; at most %(limit)d characters.") % {"limit": LYRICS_LIMIT},
    )
    prompt = TextField(
        style={"base_template": "textarea.html"},
        help_text=_("The style; at most %(limit)d characters.") % {"limit": PROMPT_LIMIT},
    )
    title = TextField(default="", help_text=_("At most %(limit)d characters.") % {"limit": TITLE_LIMIT})
    tags = TextField(default="", help_text=_("By commas; at most %(limit)d characters.") % {"limit": TAGS_LIMIT})
    model = TextField(default="", help_text=_("One of GET /songs/models/; empty for the default one."))
    variants = serializers.IntegerField(default=2, help_text=f"1-{VARIANTS_LIMIT}")
    gender = serializers.ChoiceField(choices=GENDERS, default="", help_text=_("The voice; empty for any."))
    is_instrumental = serializers.BooleanField(default=False)
    lyrics_run = RunField(help_text=_("The magic run that the lyrics came about by."))
    prompt_run = RunField(help_text=_("The magic run that the style came about by."))
    title_run = RunField(help_text=TITLE_RUN_HELP)


class SongEditSerializer(serializers.Serializer[Any]):
    """What the owner may change on a song."""

    title = TextField(required=False)
    tags = TextField(required=False)
    workflow = serializers.ChoiceField(choices=Workflow.choices, required=False)
    title_run = RunField(help_text=TITLE_RUN_HELP)


class ChoiceEditSerializer(serializers.Serializer[Any]):
    """What the owner may change on a choice."""

    rating = serializers.IntegerField(
        required=False, allow_null=True, help_text=_("1 thumbs up, 0 thumbs down, null unrated.")
    )
    title = TextField(required=False)
    tags = TextField(required=False)


class RefreshSerializer(serializers.Serializer[Any]):
    """What Mureka is asked with."""

    job_id = TextField(default="", max_length=255, help_text=_("Mureka's job id, if its answer was lost."))


class StemsRequestSerializer(serializers.Serializer[Any]):
    """What stems are asked for with."""

    model = TextField(default="", help_text=_("A model with a stems price; empty for the first one."))


class BulkDeleteSerializer(serializers.Serializer[Any]):
    """Which songs are to go."""

    ids = serializers.ListField(child=IdField(), allow_empty=False, min_length=1, max_length=BULK_LIMIT)
