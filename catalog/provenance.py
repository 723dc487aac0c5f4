"""Where a value comes from."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Provenance(models.TextChoices):
    """Where a value comes from: printed in the press, or made up for the sample data."""

    REPORTED = "reported", _("reported")
    ILLUSTRATIVE = "illustrative", _("illustrative")
