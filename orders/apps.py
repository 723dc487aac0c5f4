"""Customers' reservations, from the form to the hand-over, and what customers are told."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "orders"

    def ready(self) -> None:
        from orders import checks  # noqa: F401 - registers itself
