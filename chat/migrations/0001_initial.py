import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from library.search import words_index

# What a model can be told before a conversation begins. The owner edits these in the admin.
PRESETS = [
    {
        "name": "Plain helper",
        "description": "Short answers in plain words",
        "text": "You are a helpful assistant in a small creative studio. Answer in the language of the question, in short "
        "plain words. Say so when you do not know something. Use Markdown only where it helps.",
    },
    {
        "name": "Songwriter",
        "description": "Lyrics in sections that can be sung",
        "text": "You are a songwriter. Write lyrics that can be sung: short lines, a steady rhythm, concrete images, rhymes "
        "that are not forced. Put each section under a heading in square brackets, such as [Verse 1], [Chorus] or [Bridge]. "
        "Write in the language of the request. When lyrics are asked for, answer with the lyrics alone, without remarks.",
        "temperature": 0.9,
    },
    {
        "name": "Picture describer",
        "description": "One prompt for an image model",
        "text": "You turn ideas into prompts for an image model. Describe the subject, the place, the light, the colours, the "
        "angle of view and the style in one paragraph of two to five sentences, in English. Name what is to be seen, not "
        "what is not. Answer with the prompt alone, without remarks or quotation marks.",
        "temperature": 0.8,
    },
    {
        "name": "Translator",
        "description": "Faithful, with the tone kept",
        "text": "You translate. Unless another language is named, translate into English, and English into German. Keep the "
        "meaning, the tone, line breaks and headings in square brackets as they are. Answer with the translation alone.",
        "temperature": 0.2,
    },
]


def seed_presets(apps, schema_editor):
    preset = apps.get_model("chat", "SystemPreset")
    for position, values in enumerate(PRESETS):
        preset.objects.create(position=position, **values)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Conversation",
            fields=[
                ("deleted_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="deleted")),
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("model", models.CharField(blank=True, max_length=200, verbose_name="model")),
                ("last_position", models.PositiveIntegerField(default=0, editable=False)),
                ("archived_at", models.DateTimeField(blank=True, null=True, verbose_name="archived")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="last written in"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="begun by",
                    ),
                ),
            ],
            options={
                "verbose_name": "conversation",
                "verbose_name_plural": "conversations",
                "db_table": "conversations",
                "ordering": ["-updated_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "position",
                    models.PositiveIntegerField(help_text="In the order of sending, from 1.", verbose_name="position"),
                ),
                ("depth", models.PositiveIntegerField(default=1, verbose_name="number in its branch")),
                (
                    "role",
                    models.CharField(
                        choices=[("user", "You"), ("assistant", "Model")], max_length=10, verbose_name="role"
                    ),
                ),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("thinking", models.TextField(blank=True, verbose_name="thinking")),
                ("html", models.TextField(blank=True, editable=False)),
                ("html_version", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("model", models.CharField(blank=True, max_length=200, verbose_name="model")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("writing", "Writing"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("broken", "Broken off"),
                            ("failed", "Failed"),
                        ],
                        default="done",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("is_stopping", models.BooleanField(default=False, editable=False)),
                ("error_message", models.TextField(blank=True, verbose_name="error")),
                ("prompt_tokens", models.PositiveIntegerField(blank=True, null=True, verbose_name="tokens read")),
                ("tokens", models.PositiveIntegerField(blank=True, null=True, verbose_name="tokens written")),
                ("tokens_per_second", models.FloatField(blank=True, null=True, verbose_name="tokens per second")),
                ("seconds", models.FloatField(blank=True, null=True, verbose_name="seconds")),
                (
                    "context_tokens",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="size of the context"),
                ),
                (
                    "left_out",
                    models.PositiveIntegerField(
                        default=0,
                        help_text="The oldest, which did not fit into the context.",
                        verbose_name="messages left out",
                    ),
                ),
                ("saved_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "conversation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="chat.conversation",
                        verbose_name="conversation",
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="children",
                        to="chat.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "db_table": "chat_messages",
                "ordering": ["position"],
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="leaf",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="chat.message",
            ),
        ),
        migrations.CreateModel(
            name="SystemPreset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("description", models.CharField(blank=True, max_length=200, verbose_name="description")),
                ("text", models.TextField(verbose_name="what the model is told")),
                (
                    "temperature",
                    models.FloatField(
                        blank=True,
                        help_text="0.0 to 2.0; empty leaves it to the model.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(2),
                        ],
                        verbose_name="temperature",
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
            ],
            options={
                "verbose_name": "preset",
                "verbose_name_plural": "presets",
                "db_table": "system_presets",
                "ordering": ["position", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("temperature__isnull", True),
                            models.Q(("temperature__gte", 0), ("temperature__lte", 2)),
                            _connector="OR",
                        ),
                        name="preset_temperature",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="conversation",
            name="preset",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to="chat.systempreset",
                verbose_name="preset",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(condition=models.Q(("state", "writing")), fields=["saved_at"], name="message_writing"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("conversation", "position"), name="message_position_once"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["user", "assistant"])), name="message_role"
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["writing", "done", "stopped", "broken", "failed"])),
                name="message_state",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)), fields=["deleted_at"], name="conversation_trash"
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("archived_at", None), ("deleted_at", None)),
                fields=["-updated_at", "-id"],
                name="chat_current",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("archived_at__isnull", False), ("deleted_at", None)),
                fields=["-updated_at", "-id"],
                name="chat_archived",
            ),
        ),
        migrations.RunPython(seed_presets, migrations.RunPython.noop),
        words_index("conversations", "title"),
        words_index("chat_messages", "text"),
    ]
