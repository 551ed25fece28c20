import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import jobs.models
from library.search import words_index

# What Mureka offers and charges in US dollars for one, as known in November 2026. The owner edits it in the admin.
MODELS = [
    # name, description, song, instrumental, stems, default
    ("auto", "The newest regular model", "0.15", "0.15", None, True),
    ("mureka-9.5", "Newest, finest", "0.15", "0.15", None, False),
    ("mureka-9", "", "0.045", "0.045", None, False),
    ("mureka-8", "", "0.045", "0.045", None, False),
    ("mureka-7.6", "Cheapest", "0.03", "0.03", None, False),
    ("mureka-o2", "Thinks before it sings", "0.045", None, None, False),
    ("audio-separation-1", "Up to five stems", None, None, "0.06", False),
    ("audio-separation-2", "Up to twelve stems, and MIDI", None, None, "0.70", False),
]


def seed_models(apps, schema_editor):
    song_model = apps.get_model("songs", "SongModel")
    for position, (name, description, song_price, instrumental_price, stems_price, is_default) in enumerate(MODELS):
        song_model.objects.create(
            name=name,
            description=description,
            song_price=song_price,
            instrumental_price=instrumental_price,
            stems_price=stems_price,
            position=position,
            is_default=is_default,
        )


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("prompts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Song",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "task_id",
                    models.CharField(
                        default=jobs.models.new_token,
                        editable=False,
                        help_text="Identity of the current submission; a late answer to an earlier one is told apart by it.",
                        max_length=255,
                        unique=True,
                        verbose_name="submission",
                    ),
                ),
                (
                    "job_id",
                    models.CharField(blank=True, db_index=True, max_length=255, verbose_name="job id at the provider"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waiting"),
                            ("PROGRESS", "Running"),
                            ("SUCCESS", "Done"),
                            ("FAILURE", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="PENDING",
                        editable=False,
                        max_length=50,
                        verbose_name="status",
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a turn"),
                            ("submitting", "Being submitted"),
                            ("running", "Running"),
                            ("saving", "Saving files"),
                            ("uncertain", "Uncertain"),
                            ("ended", "Ended"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=20,
                        verbose_name="phase",
                    ),
                ),
                ("progress_info", models.JSONField(blank=True, default=dict, editable=False, verbose_name="progress")),
                ("error_message", models.TextField(blank=True, editable=False, verbose_name="message")),
                ("error_detail", models.TextField(blank=True, editable=False, verbose_name="the provider's answer")),
                ("problem", models.CharField(blank=True, editable=False, max_length=30, verbose_name="problem")),
                (
                    "charge",
                    models.CharField(
                        choices=[("no", "Not charged"), ("maybe", "May have been charged"), ("yes", "Charged")],
                        default="no",
                        editable=False,
                        max_length=10,
                        verbose_name="charge",
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        editable=False,
                        help_text="US dollars, by our price list.",
                        max_digits=10,
                        verbose_name="cost",
                    ),
                ),
                (
                    "spent_before",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        editable=False,
                        help_text="US dollars that earlier submissions of this job cost, or may have cost.",
                        max_digits=10,
                        verbose_name="spent before",
                    ),
                ),
                (
                    "request_id",
                    models.CharField(
                        blank=True,
                        default=jobs.models.current_request_id,
                        editable=False,
                        help_text="Id of the web request that asked for it, as the logs show it.",
                        max_length=64,
                        verbose_name="request",
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="queued"),
                ),
                ("submitted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="submitted")),
                (
                    "next_poll_at",
                    models.DateTimeField(
                        blank=True,
                        default=django.utils.timezone.now,
                        editable=False,
                        null=True,
                        verbose_name="next step",
                    ),
                ),
                (
                    "slot_until",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="holds a turn until"),
                ),
                ("deadline_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deadline")),
                ("attempts", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                (
                    "cancel_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="cancel requested"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="completed")),
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deleted")),
                ("lyrics", models.TextField(blank=True, verbose_name="lyrics")),
                ("prompt", models.TextField(blank=True, verbose_name="style")),
                ("model", models.CharField(default="auto", max_length=100, verbose_name="model")),
                ("variants", models.PositiveSmallIntegerField(default=2, verbose_name="variants")),
                ("gender", models.CharField(blank=True, max_length=10, verbose_name="voice")),
                ("is_instrumental", models.BooleanField(default=False, verbose_name="instrumental")),
                ("title", models.CharField(blank=True, max_length=500, verbose_name="title")),
                ("tags", models.CharField(blank=True, max_length=1000, verbose_name="tags")),
                ("lyrics_written", models.TextField(blank=True, editable=False, verbose_name="lyrics as written")),
                (
                    "lyrics_magic",
                    models.TextField(blank=True, editable=False, verbose_name="lyrics as magic made them"),
                ),
                ("prompt_written", models.TextField(blank=True, editable=False, verbose_name="style as written")),
                ("prompt_magic", models.TextField(blank=True, editable=False, verbose_name="style as magic made it")),
                ("title_written", models.TextField(blank=True, editable=False, verbose_name="title as written")),
                ("title_magic", models.TextField(blank=True, editable=False, verbose_name="title as magic made it")),
                (
                    "workflow",
                    models.CharField(
                        choices=[("notUsed", "Not used"), ("onWork", "On work"), ("inUse", "In use")],
                        default="notUsed",
                        max_length=50,
                        verbose_name="workflow",
                    ),
                ),
                (
                    "mureka_response",
                    models.JSONField(blank=True, default=dict, editable=False, verbose_name="Mureka's answer"),
                ),
                (
                    "mureka_status",
                    models.CharField(blank=True, editable=False, max_length=100, verbose_name="Mureka's status"),
                ),
                (
                    "resolved_model",
                    models.CharField(blank=True, editable=False, max_length=100, verbose_name="model used"),
                ),
                (
                    "lyrics_run",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="prompts.magicrun",
                        verbose_name="magic of the lyrics",
                    ),
                ),
                (
                    "prompt_run",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="prompts.magicrun",
                        verbose_name="magic of the style",
                    ),
                ),
                (
                    "title_run",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="prompts.magicrun",
                        verbose_name="magic of the title",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
            ],
            options={
                "verbose_name": "song",
                "verbose_name_plural": "songs",
                "db_table": "songs",
                "ordering": ["-created_at", "-pk"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="SongChoice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "mureka_choice_id",
                    models.CharField(blank=True, editable=False, max_length=255, verbose_name="Mureka's id"),
                ),
                ("choice_index", models.PositiveIntegerField(default=0, editable=False, verbose_name="number")),
                (
                    "mp3_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="mp3 at Mureka"),
                ),
                (
                    "flac_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="flac at Mureka"),
                ),
                (
                    "wav_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="wav at Mureka"),
                ),
                (
                    "video_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="video at Mureka"),
                ),
                (
                    "image_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="image at Mureka"),
                ),
                (
                    "duration",
                    models.FloatField(
                        blank=True, editable=False, help_text="Milliseconds.", null=True, verbose_name="duration"
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=500, verbose_name="title")),
                ("tags", models.CharField(blank=True, max_length=1000, verbose_name="tags")),
                (
                    "rating",
                    models.IntegerField(
                        blank=True, choices=[(1, "Thumbs up"), (0, "Thumbs down")], null=True, verbose_name="rating"
                    ),
                ),
                (
                    "lyrics_sections",
                    models.JSONField(blank=True, default=list, editable=False, verbose_name="word-timed lyrics"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "song",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="choices",
                        to="songs.song",
                        verbose_name="song",
                    ),
                ),
            ],
            options={
                "verbose_name": "choice",
                "verbose_name_plural": "choices",
                "db_table": "song_choices",
                "ordering": ["song_id", "choice_index"],
            },
        ),
        migrations.CreateModel(
            name="SongFile",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10, verbose_name="kind")),
                ("url", models.CharField(max_length=1000, verbose_name="link")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "On its way"),
                            ("home", "At home"),
                            ("missing", "Link does not answer"),
                            ("expired", "Link has expired"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name in storage")),
                ("size", models.PositiveBigIntegerField(default=0, help_text="Bytes.", verbose_name="size")),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("error", models.TextField(blank=True, verbose_name="error")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="attempts")),
                (
                    "next_try_at",
                    models.DateTimeField(
                        blank=True, default=django.utils.timezone.now, null=True, verbose_name="next try"
                    ),
                ),
                ("link_expires_at", models.DateTimeField(verbose_name="link lives until")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "choice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="songs.songchoice",
                        verbose_name="choice",
                    ),
                ),
            ],
            options={
                "verbose_name": "file",
                "verbose_name_plural": "files",
                "db_table": "song_files",
                "ordering": ["choice_id", "kind"],
            },
        ),
        migrations.CreateModel(
            name="SongModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                (
                    "song_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars for one; empty if the model does not make it.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of a song",
                    ),
                ),
                (
                    "instrumental_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars for one; empty if the model does not make it.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of an instrumental",
                    ),
                ),
                (
                    "stems_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars for one; empty if the model does not make it.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of stems",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_default", models.BooleanField(default=False, verbose_name="default")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "song model",
                "verbose_name_plural": "song models",
                "db_table": "song_models",
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_song_model"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StemSeparation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "task_id",
                    models.CharField(
                        default=jobs.models.new_token,
                        editable=False,
                        help_text="Identity of the current submission; a late answer to an earlier one is told apart by it.",
                        max_length=255,
                        unique=True,
                        verbose_name="submission",
                    ),
                ),
                (
                    "job_id",
                    models.CharField(blank=True, db_index=True, max_length=255, verbose_name="job id at the provider"),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("PENDING", "Waiting"),
                            ("PROGRESS", "Running"),
                            ("SUCCESS", "Done"),
                            ("FAILURE", "Failed"),
                            ("CANCELLED", "Cancelled"),
                        ],
                        default="PENDING",
                        editable=False,
                        max_length=50,
                        verbose_name="status",
                    ),
                ),
                (
                    "phase",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for a turn"),
                            ("submitting", "Being submitted"),
                            ("running", "Running"),
                            ("saving", "Saving files"),
                            ("uncertain", "Uncertain"),
                            ("ended", "Ended"),
                        ],
                        default="waiting",
                        editable=False,
                        max_length=20,
                        verbose_name="phase",
                    ),
                ),
                ("progress_info", models.JSONField(blank=True, default=dict, editable=False, verbose_name="progress")),
                ("error_message", models.TextField(blank=True, editable=False, verbose_name="message")),
                ("error_detail", models.TextField(blank=True, editable=False, verbose_name="the provider's answer")),
                ("problem", models.CharField(blank=True, editable=False, max_length=30, verbose_name="problem")),
                (
                    "charge",
                    models.CharField(
                        choices=[("no", "Not charged"), ("maybe", "May have been charged"), ("yes", "Charged")],
                        default="no",
                        editable=False,
                        max_length=10,
                        verbose_name="charge",
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        editable=False,
                        help_text="US dollars, by our price list.",
                        max_digits=10,
                        verbose_name="cost",
                    ),
                ),
                (
                    "spent_before",
                    models.DecimalField(
                        decimal_places=4,
                        default=0,
                        editable=False,
                        help_text="US dollars that earlier submissions of this job cost, or may have cost.",
                        max_digits=10,
                        verbose_name="spent before",
                    ),
                ),
                (
                    "request_id",
                    models.CharField(
                        blank=True,
                        default=jobs.models.current_request_id,
                        editable=False,
                        help_text="Id of the web request that asked for it, as the logs show it.",
                        max_length=64,
                        verbose_name="request",
                    ),
                ),
                (
                    "queued_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="queued"),
                ),
                ("submitted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="submitted")),
                (
                    "next_poll_at",
                    models.DateTimeField(
                        blank=True,
                        default=django.utils.timezone.now,
                        editable=False,
                        null=True,
                        verbose_name="next step",
                    ),
                ),
                (
                    "slot_until",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="holds a turn until"),
                ),
                ("deadline_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deadline")),
                ("attempts", models.PositiveIntegerField(default=0, editable=False, verbose_name="attempts")),
                (
                    "cancel_requested_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="cancel requested"),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                ("completed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="completed")),
                ("model", models.CharField(max_length=100, verbose_name="model")),
                (
                    "source_url",
                    models.CharField(blank=True, editable=False, max_length=1000, verbose_name="link to separate"),
                ),
                (
                    "source_name",
                    models.CharField(
                        blank=True, editable=False, max_length=255, verbose_name="our file, should the link have died"
                    ),
                ),
                ("source_expires_at", models.DateTimeField(editable=False, verbose_name="link lives until")),
                (
                    "mureka_response",
                    models.JSONField(blank=True, default=dict, editable=False, verbose_name="Mureka's answer"),
                ),
                (
                    "choice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stems",
                        to="songs.songchoice",
                        verbose_name="choice",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="requested by",
                    ),
                ),
            ],
            options={
                "verbose_name": "stem separation",
                "verbose_name_plural": "stem separations",
                "db_table": "song_stems",
                "ordering": ["-created_at"],
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("status__in", ["PENDING", "PROGRESS"])),
                fields=["phase", "next_poll_at"],
                name="song_due",
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(fields=["submitted_at"], name="song_submitted"),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("slot_until__isnull", False)), fields=["slot_until"], name="song_turn"
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at"], name="song_trash"
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["-created_at", "-id"], name="song_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["is_instrumental", "-created_at", "-id"],
                name="song_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["workflow", "-created_at", "-id"],
                name="song_workflow",
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["title", "-created_at", "-id"], name="song_title"
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["updated_at", "id"], name="song_updated"
            ),
        ),
        migrations.AddIndex(
            model_name="song",
            index=models.Index(fields=["status", "-created_at", "-id"], name="song_status"),
        ),
        migrations.AddConstraint(
            model_name="song",
            constraint=models.UniqueConstraint(
                condition=models.Q(("job_id", ""), _negated=True), fields=("job_id",), name="song_job_id_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="song",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "PROGRESS"), _negated=True),
                    models.Q(("job_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="song_progress_has_job_id",
            ),
        ),
        migrations.AddConstraint(
            model_name="songchoice",
            constraint=models.UniqueConstraint(fields=("song", "choice_index"), name="song_choice_index_once"),
        ),
        migrations.AddConstraint(
            model_name="songchoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("rating__isnull", True), ("rating__in", [0, 1]), _connector="OR"),
                name="song_choice_rating",
            ),
        ),
        migrations.AddIndex(
            model_name="songfile",
            index=models.Index(
                condition=models.Q(("next_try_at__isnull", False)), fields=["next_try_at"], name="song_file_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="songfile",
            constraint=models.UniqueConstraint(fields=("choice", "kind"), name="song_file_kind_once"),
        ),
        migrations.AddConstraint(
            model_name="songfile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "home"), _negated=True), models.Q(("name", ""), _negated=True), _connector="OR"
                ),
                name="song_file_home_has_name",
            ),
        ),
        migrations.AddIndex(
            model_name="stemseparation",
            index=models.Index(
                condition=models.Q(("status__in", ["PENDING", "PROGRESS"])),
                fields=["phase", "next_poll_at"],
                name="stemseparation_due",
            ),
        ),
        migrations.AddIndex(
            model_name="stemseparation",
            index=models.Index(fields=["submitted_at"], name="stemseparation_submitted"),
        ),
        migrations.AddIndex(
            model_name="stemseparation",
            index=models.Index(
                condition=models.Q(("slot_until__isnull", False)), fields=["slot_until"], name="stemseparation_turn"
            ),
        ),
        migrations.AddConstraint(
            model_name="stemseparation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("job_id", ""), _negated=True), fields=("job_id",), name="stemseparation_job_id_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="stemseparation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "PROGRESS"), _negated=True),
                    models.Q(("job_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="stemseparation_progress_has_job_id",
            ),
        ),
        migrations.RunPython(seed_models, migrations.RunPython.noop),
        words_index("songs", "title", "lyrics", "tags"),
    ]
