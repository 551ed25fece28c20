import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import jobs.models
from library.search import words_index

# What OpenAI offers, as known in November 2026. The owner edits it in the admin. Prices are US dollars: a million tokens,
# or a picture where a model is not paid by token. Tokens are those of a square picture of 1024 pixels.
SIZES = ["1024x1024", "1536x1024", "1024x1536", "2048x1152", "1152x2048", "auto"]
OLD_SIZES = ["1024x1024", "1536x1024", "1024x1536", "auto"]
FINE = ["medium", "low", "high", "xhigh", "max", "auto"]
PLAIN = ["medium", "low", "high", "auto"]
FORMATS = ["png", "webp", "jpeg"]
BACKGROUNDS = ["auto", "opaque", "transparent"]
TOKENS_25 = {"low": 196, "medium": 439, "high": 1756, "xhigh": 3122, "max": 7024}
TOKENS_2 = {"low": 200, "medium": 1767, "high": 7033}
BY_TOKEN = {"text_in_price": "5", "image_in_price": "8", "image_out_price": "30"}
SUNSET = "2026-12-01"

MODELS = [
    {"name": "gpt-image-2.6-flare", "description": "Fast and cheap", "sizes": SIZES, "qualities": FINE,
     "tokens": TOKENS_25, "is_default": True, **BY_TOKEN},
    {"name": "gpt-image-2.6-sunburst", "description": "Finest", "sizes": SIZES, "qualities": FINE,
     "tokens": TOKENS_25, **BY_TOKEN},
    {"name": "gpt-image-2.5-flare", "sizes": SIZES, "qualities": FINE, "tokens": TOKENS_25, **BY_TOKEN},
    {"name": "gpt-image-2.5-sunburst", "sizes": SIZES, "qualities": FINE, "tokens": TOKENS_25, **BY_TOKEN},
    {"name": "gpt-image-2", "sizes": SIZES, "qualities": PLAIN, "tokens": TOKENS_2, **BY_TOKEN},
    {"name": "gpt-image-1.5", "sizes": OLD_SIZES, "qualities": PLAIN, "retires_on": SUNSET,
     "fixed_prices": {"low": "0.009", "medium": "0.034", "high": "0.133"}},
    {"name": "gpt-image-1-mini", "sizes": OLD_SIZES, "qualities": PLAIN, "retires_on": SUNSET,
     "fixed_prices": {"low": "0.005", "medium": "0.011", "high": "0.036"}},
    {"name": "dall-e-3", "description": "For compatible servers only: OpenAI has switched it off",
     "sizes": ["1024x1024", "1792x1024", "1024x1792"], "qualities": ["standard", "hd"], "backgrounds": [],
     "formats": ["png"], "most_pictures": 1, "prompt_limit": 4000, "can_edit": False, "can_stream": False,
     "can_moderate": False, "fixed_prices": {"standard": "0.04", "hd": "0.08"}, "is_active": False},
]  # fmt: skip


def seed_models(apps, schema_editor):
    image_model = apps.get_model("images", "ImageModel")
    for position, values in enumerate(MODELS):
        image_model.objects.create(**{"backgrounds": BACKGROUNDS, "formats": FORMATS, "position": position} | values)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("prompts", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GeneratedImage",
            fields=[
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deleted")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="number in its set"),
                ),
                ("prompt", models.TextField(verbose_name="prompt as sent")),
                ("prompt_start", models.CharField(blank=True, editable=False, max_length=200)),
                (
                    "revised_prompt",
                    models.TextField(blank=True, editable=False, verbose_name="prompt as the model changed it"),
                ),
                ("size", models.CharField(help_text="As it came back.", max_length=20, verbose_name="size")),
                (
                    "quality",
                    models.CharField(blank=True, help_text="As it came back.", max_length=20, verbose_name="quality"),
                ),
                ("filename", models.CharField(max_length=255, unique=True, verbose_name="file name")),
                ("file_path", models.CharField(max_length=500, verbose_name="name in storage")),
                ("local_url", models.CharField(blank=True, max_length=500, verbose_name="address")),
                ("model_used", models.CharField(db_index=True, max_length=100, verbose_name="model used")),
                ("prompt_hash", models.CharField(db_index=True, editable=False, max_length=32)),
                ("title", models.CharField(blank=True, max_length=255, verbose_name="title")),
                ("title_written", models.TextField(blank=True, editable=False, verbose_name="title as written")),
                ("title_magic", models.TextField(blank=True, editable=False, verbose_name="title as magic made it")),
                ("tags", models.TextField(blank=True, verbose_name="tags")),
                (
                    "rating",
                    models.SmallIntegerField(
                        blank=True, choices=[(1, "Thumbs up"), (0, "Thumbs down")], null=True, verbose_name="rating"
                    ),
                ),
                ("format", models.CharField(max_length=10, verbose_name="format")),
                ("width", models.PositiveIntegerField(help_text="Pixels.", verbose_name="width")),
                ("height", models.PositiveIntegerField(help_text="Pixels.", verbose_name="height")),
                ("bytes", models.PositiveBigIntegerField(help_text="Bytes.", verbose_name="size of the file")),
                ("sha256", models.CharField(max_length=64)),
                ("thumb_320", models.CharField(blank=True, max_length=255)),
                ("thumb_640", models.CharField(blank=True, max_length=255)),
                (
                    "duration",
                    models.FloatField(
                        blank=True, help_text="Seconds that the provider took.", null=True, verbose_name="duration"
                    ),
                ),
                (
                    "cost",
                    models.DecimalField(
                        decimal_places=6, default=0, help_text="US dollars.", max_digits=10, verbose_name="cost"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="children",
                        to="images.generatedimage",
                        verbose_name="made from",
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
            ],
            options={
                "verbose_name": "picture",
                "verbose_name_plural": "pictures",
                "db_table": "generated_images",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ImageModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                (
                    "sizes",
                    models.JSONField(
                        default=list,
                        help_text='Such as ["auto", "1024x1024"]; the first is default.',
                        verbose_name="sizes",
                    ),
                ),
                (
                    "qualities",
                    models.JSONField(default=list, help_text="The first is the default.", verbose_name="qualities"),
                ),
                ("backgrounds", models.JSONField(blank=True, default=list, verbose_name="backgrounds")),
                ("formats", models.JSONField(blank=True, default=list, verbose_name="formats")),
                ("most_pictures", models.PositiveSmallIntegerField(default=10, verbose_name="pictures at once")),
                ("prompt_limit", models.PositiveIntegerField(default=32000, verbose_name="characters of a prompt")),
                ("can_edit", models.BooleanField(default=True, verbose_name="takes reference pictures")),
                ("can_stream", models.BooleanField(default=True, verbose_name="shows early versions")),
                ("can_moderate", models.BooleanField(default=True, verbose_name="moderation can be chosen")),
                (
                    "text_in_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars a million tokens.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of text in",
                    ),
                ),
                (
                    "image_in_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars a million tokens.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of pictures in",
                    ),
                ),
                (
                    "image_out_price",
                    models.DecimalField(
                        blank=True,
                        decimal_places=4,
                        help_text="US dollars a million tokens.",
                        max_digits=8,
                        null=True,
                        verbose_name="price of pictures out",
                    ),
                ),
                (
                    "tokens",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Tokens of a square picture of 1024 pixels, by quality.",
                        verbose_name="tokens",
                    ),
                ),
                (
                    "fixed_prices",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="US dollars a picture by quality, for models that are not paid by token.",
                        verbose_name="fixed prices",
                    ),
                ),
                ("retires_on", models.DateField(blank=True, null=True, verbose_name="retires on")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_default", models.BooleanField(default=False, verbose_name="default")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "image model",
                "verbose_name_plural": "image models",
                "db_table": "image_models",
                "ordering": ["position", "name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_image_model"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImageRequest",
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
                ("prompt", models.TextField(verbose_name="prompt as sent")),
                ("prompt_written", models.TextField(blank=True, verbose_name="prompt as written")),
                ("prompt_magic", models.TextField(blank=True, verbose_name="prompt as magic made it")),
                ("prompt_hash", models.CharField(db_index=True, editable=False, max_length=32)),
                ("model", models.CharField(max_length=100, verbose_name="model")),
                ("count", models.PositiveSmallIntegerField(default=1, verbose_name="pictures")),
                ("size", models.CharField(default="auto", max_length=20, verbose_name="size")),
                ("quality", models.CharField(default="auto", max_length=20, verbose_name="quality")),
                ("background", models.CharField(default="auto", max_length=20, verbose_name="background")),
                ("output_format", models.CharField(default="png", max_length=10, verbose_name="format")),
                (
                    "output_compression",
                    models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="compression"),
                ),
                ("moderation", models.CharField(default="auto", max_length=10, verbose_name="moderation")),
                ("shows_partial", models.BooleanField(default=False, verbose_name="early versions")),
                (
                    "references",
                    models.JSONField(blank=True, default=list, editable=False, verbose_name="reference pictures"),
                ),
                ("mask", models.CharField(blank=True, editable=False, max_length=255, verbose_name="mask")),
                ("title", models.CharField(blank=True, max_length=255, verbose_name="title")),
                ("title_written", models.TextField(blank=True, editable=False, verbose_name="title as written")),
                ("title_magic", models.TextField(blank=True, editable=False, verbose_name="title as magic made it")),
                ("tags", models.TextField(blank=True, verbose_name="tags")),
                (
                    "openai_response",
                    models.JSONField(blank=True, default=dict, editable=False, verbose_name="OpenAI's answer"),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="variations",
                        to="images.generatedimage",
                        verbose_name="made from",
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
                        verbose_name="magic of the prompt",
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
                "verbose_name": "picture request",
                "verbose_name_plural": "picture requests",
                "db_table": "image_requests",
                "ordering": ["-created_at", "-pk"],
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="generatedimage",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="images",
                to="images.imagerequest",
                verbose_name="request",
            ),
        ),
        migrations.AddIndex(
            model_name="imagerequest",
            index=models.Index(
                condition=models.Q(("status__in", ["PENDING", "PROGRESS"])),
                fields=["phase", "next_poll_at"],
                name="imagerequest_due",
            ),
        ),
        migrations.AddIndex(
            model_name="imagerequest",
            index=models.Index(fields=["submitted_at"], name="imagerequest_submitted"),
        ),
        migrations.AddIndex(
            model_name="imagerequest",
            index=models.Index(
                condition=models.Q(("slot_until__isnull", False)), fields=["slot_until"], name="imagerequest_turn"
            ),
        ),
        migrations.AddIndex(
            model_name="imagerequest",
            index=models.Index(fields=["-created_at", "-id"], name="image_request_newest"),
        ),
        migrations.AddIndex(
            model_name="imagerequest",
            index=models.Index(fields=["status", "-created_at", "-id"], name="image_request_status"),
        ),
        migrations.AddConstraint(
            model_name="imagerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("job_id", ""), _negated=True), fields=("job_id",), name="imagerequest_job_id_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="imagerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "PROGRESS"), _negated=True),
                    models.Q(("job_id", ""), _negated=True),
                    _connector="OR",
                ),
                name="imagerequest_progress_has_job_id",
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at"], name="generatedimage_trash"
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["-created_at", "-id"], name="image_newest"
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["rating", "-created_at", "-id"], name="image_rated"
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["title", "-created_at", "-id"], name="image_title"
            ),
        ),
        migrations.AddIndex(
            model_name="generatedimage",
            index=models.Index(
                condition=models.Q(("deleted_at", None)), fields=["updated_at", "id"], name="image_updated"
            ),
        ),
        migrations.AddConstraint(
            model_name="generatedimage",
            constraint=models.UniqueConstraint(fields=("request", "position"), name="image_position_once"),
        ),
        migrations.AddConstraint(
            model_name="generatedimage",
            constraint=models.CheckConstraint(
                condition=models.Q(("rating__isnull", True), ("rating__in", [0, 1]), _connector="OR"),
                name="image_rating",
            ),
        ),
        migrations.RunPython(seed_models, migrations.RunPython.noop),
        words_index("generated_images", "title", "prompt", "tags"),
    ]
