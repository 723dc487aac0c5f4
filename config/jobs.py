"""
What the worker does by the clock.

Each job looks for what is due and may run as often as one likes, on any number of workers. A run that fails is kept in
the list of failed jobs. Where the next one does not come by the clock anyway before long, it is tried again after some
minutes, a few times (`retry` and `max_attempts` of Q_CLUSTER).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Schedule

EVERY_NIGHT = 24 * 60
NIGHT = 3  # o'clock in Asia/Shanghai, when hardly anybody buys
LOCK_ON_SCHEDULES = 6_813


class Job(NamedTuple):
    """A function, and how many minutes pass from one run to the next."""

    function: str
    minutes: int

    @property
    def comes_again_soon(self) -> bool:
        """Whether the next run is due before one that failed would be tried again."""
        return self.minutes * 60 <= Conf.RETRY


JOBS = {
    "expire orders": Job("orders.holds.expire_orders", 1),
    "remind customers": Job("orders.holds.remind_customers", 5),
    "escalate orders": Job("orders.holds.escalate_orders", 5),
    "mark silent outlets": Job("stores.presence.mark_silent_outlets", 5),
    "forget past calls": Job("api.limits.forget_past_calls", 60),
    "forget past idempotency keys": Job("api.idempotency.forget_past_keys", 60),
    "deal with stock counts": Job("partners.counts.deal_with_waiting", 1),
    "forget old stock counts": Job("partners.counts.forget_old_counts", EVERY_NIGHT),
    "forget past sessions": Job("config.jobs.forget_past_sessions", EVERY_NIGHT),
    "forget old events": Job("events.retention.forget_old_events", EVERY_NIGHT),
    "forget old deliveries": Job("partners.webhook_queue.forget_old_deliveries", EVERY_NIGHT),
    "forget past forms": Job("stores.once.forget_past_forms", EVERY_NIGHT),
    "apply imports": Job("office.import_queue.apply_waiting", 1),
    "tell of prices": Job("catalog.price_events.tell_of_prices", 1),
    "fold stock totals": Job("stores.totals.fold", 1),
    "add up for reports": Job("office.rollup.roll_up", 5),
    "look for late lines": Job("office.rollup.roll_up_all", EVERY_NIGHT),
    "foresee what runs out": Job("office.run_out.foresee_run_out", EVERY_NIGHT),
    "erase old customers": Job("orders.privacy.erase_old_customers", EVERY_NIGHT),
    "audit stock": Job("config.jobs.audit_stock", EVERY_NIGHT),
}


def audit_stock() -> None:
    """Prove that ledger, levels, handsets, orders and totals agree; fail if they do not."""
    call_command("audit_stock", verbosity=0)


def forget_past_sessions() -> None:
    """Delete the sessions of the desk that have ended."""
    call_command("clearsessions", verbosity=0)


def arrange() -> None:
    """Make the schedules those of JOBS. Times of the next runs stay as they are."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Two workers that start together would each add what is missing.
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK_ON_SCHEDULES])
        Schedule.objects.exclude(name__in=JOBS).delete()
        for name, job in JOBS.items():
            job_is = {
                "func": job.function,
                "schedule_type": Schedule.MINUTES,
                "minutes": job.minutes,
                # As the library reads it: whether a run that failed is done with, or delivered again.
                "kwargs": f"{{'q_options': {{'ack_failure': {job.comes_again_soon}}}}}",
            }
            first = job_is | {"next_run": _first_run(job)}
            Schedule.objects.update_or_create(name=name, defaults=job_is, create_defaults=first)


def _first_run(job: Job) -> datetime:
    if job.minutes < EVERY_NIGHT:
        return timezone.now()
    night = timezone.localtime().replace(hour=NIGHT, minute=0, second=0, microsecond=0)
    return night if night > timezone.now() else night + timedelta(days=1)
