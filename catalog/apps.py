from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Brands, tiers, phones and prices."""

    name = "catalog"
    default_auto_field = "django.db.models.SmallAutoField"
