"""A file of outlets is applied by the worker: who wants it, as it was shown, and how far that is."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("office", "0008_days_that_are_added_to"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="outletimport",
            name="asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="fingerprint",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="language",
            field=models.CharField(blank=True, max_length=7),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="refusal",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="outletimport",
            name="step",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddConstraint(
            model_name="outletimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("asked_at", None), ("asked_by", None)),
                    models.Q(
                        ("asked_at__isnull", False),
                        ("asked_by__isnull", False),
                        ("fingerprint__regex", "^[0-9a-f]{64}$"),
                    ),
                    _connector="OR",
                ),
                name="outletimport_is_applied_for_somebody_as_it_was_shown",
            ),
        ),
        migrations.AddConstraint(
            model_name="outletimport",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_at", None), ("applied_at", None), _connector="OR"),
                name="outletimport_is_applied_once",
            ),
        ),
    ]
