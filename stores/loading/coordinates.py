"""Checks of a point, for every file that has one."""

from django.utils.translation import gettext_lazy as _

from stores.loading.checks import Check, in_range

DEGREES = r"^-?[0-9]{1,3}(\.[0-9]{1,15})?$"

POINT_CHECKS: tuple[Check, ...] = (
    in_range("latitude", DEGREES, -90, 90, _("must be degrees from -90 to 90, but is “%(value)s”")),
    in_range("longitude", DEGREES, -180, 180, _("must be degrees from -180 to 180, but is “%(value)s”")),
)
