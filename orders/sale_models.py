"""What was ordered at the prices of sale windows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from catalog.models import Phone, SaleWindow
from orders import numbers
from orders.record_models import order_key, outlet_key


class SaleUse(models.Model):
    """
    That a line of an order has the price of a sale window, and who used it, as a keyed digest of the mobile number.

    It counts while its order is placed, ready or collected. So what a customer or an outlet has used of a window is
    never kept anywhere: an order that is cancelled, declined or expires gives it back by being so. Written by
    `orders_place_order` alone. The digest outlives name and number of the order, as long as the window is open.
    """

    pk = models.CompositePrimaryKey("outlet", "number", "phone")
    outlet = outlet_key()
    number = models.CharField(max_length=numbers.DIGITS)
    phone = models.ForeignKey(Phone, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    window = models.ForeignKey(SaleWindow, models.PROTECT, related_name="+", db_index=False)
    ordinary_fen = models.PositiveIntegerField()
    customer = models.BinaryField(max_length=16, null=True)
    order = order_key("sale_uses")

    class Meta:
        indexes = [
            models.Index("customer", "window", name="saleuse_by_customer", condition=Q(customer__isnull=False)),
            models.Index("outlet", "window", "phone", name="saleuse_by_outlet"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.phone_id} {self.window_id}"
