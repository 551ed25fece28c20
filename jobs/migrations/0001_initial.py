import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="EarlierSubmission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=100, verbose_name="kind")),
                ("job_pk", models.UUIDField(db_index=True, verbose_name="job")),
                ("task_id", models.CharField(max_length=255, verbose_name="submission")),
                ("submitted_at", models.DateTimeField(db_index=True, verbose_name="submitted")),
                (
                    "cost",
                    models.DecimalField(decimal_places=4, help_text="US dollars.", max_digits=10, verbose_name="cost"),
                ),
                (
                    "charge",
                    models.CharField(
                        choices=[("no", "Not charged"), ("maybe", "May have been charged"), ("yes", "Charged")],
                        max_length=10,
                        verbose_name="charge",
                    ),
                ),
            ],
            options={
                "verbose_name": "earlier submission",
                "verbose_name_plural": "earlier submissions",
                "db_table": "job_earlier_submissions",
            },
        ),
        migrations.CreateModel(
            name="JobEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=100, verbose_name="kind")),
                ("job_pk", models.UUIDField(db_index=True, verbose_name="job")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("text", models.TextField(verbose_name="what happened")),
                ("other_pk", models.UUIDField(blank=True, null=True, verbose_name="other job")),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "db_table": "job_events",
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("name", models.CharField(max_length=50, primary_key=True, serialize=False, verbose_name="name")),
                ("owner", models.CharField(blank=True, max_length=100, verbose_name="owner")),
                ("until", models.DateTimeField(default=django.utils.timezone.now, verbose_name="until")),
                ("beat", models.DateTimeField(default=django.utils.timezone.now, verbose_name="last sign of life")),
            ],
            options={
                "verbose_name": "lease",
                "verbose_name_plural": "leases",
                "db_table": "job_leases",
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                (
                    "provider",
                    models.CharField(max_length=50, primary_key=True, serialize=False, verbose_name="provider"),
                ),
                ("concurrent_request_limit", models.PositiveIntegerField(default=1, verbose_name="jobs at once")),
                ("backoff_until", models.DateTimeField(blank=True, null=True, verbose_name="left alone until")),
                ("backoff_reason", models.TextField(blank=True, verbose_name="why")),
                ("strikes", models.PositiveIntegerField(default=0, verbose_name="refusals in a row")),
                ("balance", models.IntegerField(blank=True, help_text="US cents.", null=True, verbose_name="balance")),
                (
                    "total_recharge",
                    models.IntegerField(blank=True, help_text="US cents.", null=True, verbose_name="paid in"),
                ),
                (
                    "total_spending",
                    models.IntegerField(blank=True, help_text="US cents.", null=True, verbose_name="spent"),
                ),
                ("account_id", models.CharField(blank=True, max_length=100, verbose_name="account")),
                ("checked_at", models.DateTimeField(blank=True, null=True, verbose_name="checked")),
                ("check_after", models.DateTimeField(default=django.utils.timezone.now, verbose_name="next check")),
                ("check_error", models.TextField(blank=True, verbose_name="last error")),
            ],
            options={
                "verbose_name": "provider account",
                "verbose_name_plural": "provider accounts",
                "db_table": "provider_accounts",
            },
        ),
    ]
