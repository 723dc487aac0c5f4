"""What the worker does by the clock, and what it has given up."""

import importlib
import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import Failure, OrmQ, Schedule, Task
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage

from config import jobs
from office import failures
from office.models import TrailEntry
from orders.messages.outbox import send_due
from partners import webhooks
from partners.callers import Caller
from partners.models import ApiKey, Partner, Webhook
from partners.webhook_queue import disable
from tests.crowd import at_once
from tests.order_factories import create_order


@pytest.mark.django_db
def test_schedules_are_made_once_and_keep_their_times():
    jobs.arrange()
    Schedule.objects.filter(name="expire orders").update(next_run="2030-01-01T00:00:00Z", minutes=99)
    Schedule.objects.create(name="a job of the past", func="gone.away")

    jobs.arrange()

    assert set(Schedule.objects.values_list("name", flat=True)) == set(jobs.JOBS)
    schedule = Schedule.objects.get(name="expire orders")
    assert (schedule.minutes, schedule.next_run.year) == (1, 2030)


@pytest.mark.django_db(transaction=True)
def test_workers_that_start_together_make_each_schedule_once():
    at_once([jobs.arrange] * 6)

    assert Schedule.objects.count() == len(jobs.JOBS)


@pytest.mark.parametrize("job", jobs.JOBS.values(), ids=lambda job: job.function)
def test_every_job_exists(job: jobs.Job):
    module, name = job.function.rsplit(".", 1)

    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.django_db
def test_nightly_jobs_begin_at_night():
    jobs.arrange()

    night = Schedule.objects.get(name="erase old customers").next_run
    assert timezone.localtime(night).hour == 3
    assert timezone.now() < night < timezone.now() + timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_a_run_that_failed_is_tried_again_unless_the_next_one_comes_soon_anyway():
    jobs.arrange()
    Schedule.objects.update(next_run=timezone.now() - timedelta(seconds=1))

    scheduler()

    runs = [SignedPackage.loads(queued.payload) for queued in OrmQ.objects.all()]
    done_with = {run["func"]: run["ack_failure"] for run in runs}
    assert done_with["orders.holds.expire_orders"] is True
    assert done_with["orders.privacy.erase_old_customers"] is False
    assert set(done_with) == {job.function for job in jobs.JOBS.values()}


def fail(why: str) -> None:
    raise ValueError(why)


def given_up_job(why: str = "the gateway of 13800138000 is gone") -> Failure:
    now = timezone.now()
    return Task.objects.create(
        id="0" * 32, name="a job", func="tests.test_jobs.fail", args=(why,), kwargs={}, started=now, stopped=now,
        success=False, result=f"{why} : Traceback\n  somewhere",
    )  # fmt: skip


def shown() -> str:
    out = io.StringIO()
    call_command("failed_jobs", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_failed_jobs_are_listed_with_numbers_masked_and_can_be_run_again():
    job = given_up_job()
    assert job.id in shown()
    assert "138****8000" in shown()
    assert "13800138000" not in shown()

    call_command("failed_jobs", retry=job.id, stdout=io.StringIO())

    assert shown() == ""
    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (task["func"], task["args"]) == ("tests.test_jobs.fail", job.args)


@pytest.mark.django_db
def test_given_up_messages_are_listed_and_can_be_sent_after_all(settings, tmp_path):
    settings.SMS_FILE = tmp_path / "messages.jsonl"
    message = create_order().messages.get()
    message.state, message.error = "given_up", "no such template"
    message.save()
    assert f"{message.out_id}  " in shown()
    assert "no such template" in shown()

    call_command("failed_jobs", retry=message.out_id, stdout=io.StringIO())
    send_due()

    message.refresh_from_db()
    assert (message.state, shown()) == ("sent", "")


@pytest.mark.django_db
def test_webhooks_that_were_given_up_are_listed_and_can_be_enabled_again():
    caller = Caller(Partner.objects.create(name="ERP"), ApiKey(scopes=["webhooks:manage"]))
    webhook, asked = (
        webhooks.subscribe(caller, url="https://erp.example/secret", types=[], outlets=[]) for _number in range(2)
    )
    assert shown() == ""
    webhooks.change(asked, state="disabled")
    assert shown() == ""
    disable(webhook, Webhook.Reason.FAILING, timezone.now())
    assert f"webhook-{webhook.code}  " in shown()
    assert "webhook of ERP at erp.example" in shown()
    assert "secret" not in shown()
    assert asked.code not in shown()
    with pytest.raises(CommandError):
        call_command("failed_jobs", retry=f"webhook-{asked.code}")

    call_command("failed_jobs", retry=f"webhook-{webhook.code}", stdout=io.StringIO())

    webhook.refresh_from_db()
    assert (webhook.state, shown()) == ("active", "")
    assert TrailEntry.objects.get(thing="webhook").key == f"webhook-{webhook.code}"


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", ["nothing", "123-1-placed", "1-2", "\x00", "webhook-none"])
def test_says_when_there_is_nothing_to_retry(wrong: str):
    assert failures.retry(wrong) is False
    with pytest.raises(CommandError):
        call_command("failed_jobs", retry=wrong)
