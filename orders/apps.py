"""Customers' reservations, from the form to the hand-over, and what customers are told."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import audit, checks  # noqa: F401 - checks registers itself
        from stores.audit import CHECKS

        CHECKS.extend(audit.CHECKS)
