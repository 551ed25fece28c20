import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from prompts.seeds import plant
from prompts.vocabulary_seeds import plant_words


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SectionKind",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "label",
                    models.CharField(
                        help_text="As it stands in [brackets].", max_length=40, unique=True, verbose_name="name"
                    ),
                ),
                ("hint", models.CharField(blank=True, max_length=200, verbose_name="what it is for")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "kind of section",
                "verbose_name_plural": "kinds of sections",
                "db_table": "section_kinds",
                "ordering": ["position", "label"],
            },
        ),
        migrations.CreateModel(
            name="SongStructure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True, verbose_name="name")),
                (
                    "sections",
                    models.TextField(
                        help_text="One a line, by the names of the kinds of sections.", verbose_name="sections"
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "song structure",
                "verbose_name_plural": "song structures",
                "db_table": "song_structures",
                "ordering": ["position", "name"],
            },
        ),
        migrations.CreateModel(
            name="PromptTemplate",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "category",
                    models.CharField(help_text="The fields that offer it.", max_length=50, verbose_name="category"),
                ),
                ("action", models.CharField(help_text="What it does.", max_length=50, verbose_name="action")),
                ("pre_condition", models.TextField(blank=True, verbose_name="before the text")),
                ("post_condition", models.TextField(blank=True, verbose_name="after the text")),
                ("description", models.TextField(blank=True, verbose_name="description")),
                ("version", models.CharField(default="1", editable=False, max_length=10, verbose_name="version")),
                (
                    "model",
                    models.CharField(
                        blank=True, help_text="Empty: the studio's default.", max_length=50, verbose_name="model"
                    ),
                ),
                (
                    "temperature",
                    models.FloatField(default=0.7, help_text="0 is exact, 2 is wild.", verbose_name="temperature"),
                ),
                (
                    "max_tokens",
                    models.PositiveIntegerField(
                        default=2048, help_text="A token is about three quarters of a word.", verbose_name="most tokens"
                    ),
                ),
                (
                    "is_text_needed",
                    models.BooleanField(
                        default=True,
                        help_text="Off: it can be used on an empty field as well.",
                        verbose_name="needs a text",
                    ),
                ),
                ("variables", models.JSONField(blank=True, default=list, verbose_name="variables")),
                ("active", models.BooleanField(default=True, verbose_name="in use")),
                ("is_latest", models.BooleanField(default=True, editable=False, verbose_name="latest version")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what changed")),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated")),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "prompt template",
                "verbose_name_plural": "prompt templates",
                "db_table": "prompt_templates",
                "ordering": ["category", "action", "-id"],
            },
        ),
        migrations.CreateModel(
            name="MagicRun",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("category", models.CharField(max_length=50, verbose_name="category")),
                ("action", models.CharField(max_length=50, verbose_name="action")),
                ("version", models.CharField(max_length=10, verbose_name="version")),
                ("variables", models.JSONField(blank=True, default=dict, verbose_name="variables")),
                ("input_text", models.TextField(blank=True, verbose_name="text")),
                ("prompt", models.TextField(blank=True, verbose_name="prompt as sent")),
                ("output_text", models.TextField(blank=True, verbose_name="answer")),
                ("thinking", models.TextField(blank=True, verbose_name="thoughts")),
                ("model", models.CharField(blank=True, max_length=100, verbose_name="model")),
                ("seconds", models.FloatField(blank=True, null=True, verbose_name="seconds")),
                ("tokens", models.PositiveIntegerField(blank=True, null=True, verbose_name="tokens")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("writing", "Being written"),
                            ("done", "Done"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="writing",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("finish_reason", models.CharField(blank=True, max_length=20, verbose_name="ended by")),
                ("error_message", models.TextField(blank=True, verbose_name="what went wrong")),
                ("is_trial", models.BooleanField(default=False, verbose_name="from the test bench")),
                ("is_stop_asked", models.BooleanField(default=False, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="created"),
                ),
                (
                    "saved_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="last saved"),
                ),
                (
                    "previous",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="prompts.magicrun",
                        verbose_name="written again after",
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
                        verbose_name="by",
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="runs",
                        to="prompts.prompttemplate",
                        verbose_name="template",
                    ),
                ),
            ],
            options={
                "verbose_name": "magic run",
                "verbose_name_plural": "magic runs",
                "db_table": "magic_runs",
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="StyleTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("genre", "Genre"),
                            ("mood", "Mood"),
                            ("instrument", "Instruments"),
                            ("tempo", "Tempo"),
                            ("voice", "Voice"),
                        ],
                        max_length=20,
                        verbose_name="kind",
                    ),
                ),
                (
                    "word",
                    models.CharField(help_text="As it is put into the style.", max_length=60, verbose_name="word"),
                ),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("is_active", models.BooleanField(default=True, verbose_name="offered")),
            ],
            options={
                "verbose_name": "style word",
                "verbose_name_plural": "style words",
                "db_table": "style_terms",
                "ordering": ["kind", "position", "word"],
                "constraints": [models.UniqueConstraint(fields=("kind", "word"), name="style_term_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="prompttemplate",
            constraint=models.UniqueConstraint(fields=("category", "action", "version"), name="template_version_once"),
        ),
        migrations.AddConstraint(
            model_name="prompttemplate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("active", True)), fields=("category", "action"), name="one_active_template"
            ),
        ),
        migrations.AddConstraint(
            model_name="prompttemplate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_latest", True)), fields=("category", "action"), name="one_latest_template"
            ),
        ),
        migrations.AddConstraint(
            model_name="prompttemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("temperature__gte", 0), ("temperature__lte", 2)), name="template_temperature_0_to_2"
            ),
        ),
        migrations.AddIndex(
            model_name="magicrun",
            index=models.Index(fields=["-created_at", "-id"], name="magic_run_newest"),
        ),
        migrations.RunPython(plant, migrations.RunPython.noop),
        migrations.RunPython(plant_words, migrations.RunPython.noop),
    ]
