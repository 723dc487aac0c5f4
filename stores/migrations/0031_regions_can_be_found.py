"""Refuse regions without a pinyin to find them by, and initials that nobody could type."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("stores", "0030_what_keys_were_made_of")]
    operations = [
        migrations.AddConstraint(
            model_name="region",
            constraint=models.CheckConstraint(
                condition=Q(name_pinyin__regex="^[^[:space:]]"), name="region_has_its_pinyin"
            ),
        ),
        migrations.AddConstraint(
            model_name="region",
            constraint=models.CheckConstraint(
                condition=Q(pinyin_initials__regex="^[a-z]+$"), name="region_initials_are_small_letters"
            ),
        ),
    ]
