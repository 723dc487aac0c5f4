"""Addresses of the REST API: one for each resource, without a slash at its end."""

from django.urls import path

from api import schema
from catalog import api as catalogue
from partners import counts_api as counts
from partners import events_api as events
from partners import orders_api as orders
from partners import webhooks_api as webhooks
from stores import api as stores
from stores import stock_api as stock

app_name = "api"

urlpatterns = [
    path("phones", catalogue.PhoneList.as_view(), name="phones"),
    path("phones/<slug:code>", catalogue.PhoneDetail.as_view(), name="phone"),
    path("brands", catalogue.BrandList.as_view(), name="brands"),
    path("tiers", catalogue.TierList.as_view(), name="tiers"),
    path("regions", stores.RegionList.as_view(), name="regions"),
    path("regions/<slug:code>", stores.RegionDetail.as_view(), name="region"),
    path("outlets", stores.OutletList.as_view(), name="outlets"),
    path("outlets/<slug:code>", stores.OutletDetail.as_view(), name="outlet"),
    path("outlets/<slug:code>/stock", stock.OutletStock.as_view(), name="outlet_stock"),
    path("stock", stock.StockList.as_view(), name="stock"),
    path("stock-counts", counts.StockCountList.as_view(), name="stock_counts"),
    path("stock-counts/<slug:code>", counts.StockCountDetail.as_view(), name="stock_count"),
    path("stock-counts/<slug:code>/refusals", counts.StockCountRefusals.as_view(), name="stock_count_refusals"),
    path("orders", orders.OrderList.as_view(), name="orders"),
    path("orders/<slug:code>", orders.OrderDetail.as_view(), name="order"),
    path("orders/<slug:code>/cancel", orders.OrderCancel.as_view(), name="order_cancel"),
    path("events", events.EventFeed.as_view(), name="events"),
    path("webhooks", webhooks.WebhookList.as_view(), name="webhooks"),
    path("webhooks/<slug:code>", webhooks.WebhookDetail.as_view(), name="webhook"),
    path("webhooks/<slug:code>/secret", webhooks.WebhookSecret.as_view(), name="webhook_secret"),
    path("webhooks/<slug:code>/deliveries", webhooks.DeliveryList.as_view(), name="webhook_deliveries"),
    path("webhooks/<slug:code>/replay", webhooks.WebhookReplay.as_view(), name="webhook_replay"),
    path("webhooks/<slug:code>/ping", webhooks.WebhookPing.as_view(), name="webhook_ping"),
    path("schema/", schema.schema_view, name="schema"),
]
