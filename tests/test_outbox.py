"""Messages leave the outbox once, whoever sends, dies or fails."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from orders import lifecycle
from orders.messages import backends, outbox
from orders.messages.backends import FileBackend, SendFailed, read_file
from orders.models import Message
from orders.privacy import erase_old_customers
from tests.crowd import at_once
from tests.order_factories import CLERK, create_order


@pytest.fixture
def sent(settings, tmp_path):
    """What the file backend sent, by out_id."""
    settings.SMS_BACKEND = "file"
    settings.SMS_FILE = tmp_path / "messages.jsonl"
    return lambda: [record["out_id"] for record in read_file(settings.SMS_FILE)]


@pytest.fixture
def broken(monkeypatch, sent):
    """A gateway that fails as it is told."""

    def fail(*failures: Exception | None):
        left = list(failures)
        send = FileBackend.send

        def send_or_fail(self, sms):
            failure = left.pop(0) if left else None
            if failure:
                raise failure
            return send(self, sms)

        monkeypatch.setattr(FileBackend, "send", send_or_fail)

    return fail


@pytest.mark.django_db
def test_sends_what_waits_and_keeps_what_became_of_it(sent):
    order = create_order()

    assert outbox.send_due() == 1
    assert outbox.send_due() == 0

    message = order.messages.get()
    assert (message.state, message.attempts, message.segments) == ("sent", 1, 2)
    assert message.receipt == message.out_id == f"{order.number}-1-placed"
    assert sent() == [message.out_id]


@pytest.mark.django_db
def test_does_not_send_what_was_rolled_back(sent):
    with transaction.atomic():
        create_order()
        transaction.set_rollback(True)
    outbox.send_due()

    assert sent() == []


@pytest.mark.django_db
def test_waits_longer_after_each_failure_and_gives_up(settings, sent, broken):
    settings.SMS_ATTEMPTS = 4
    broken(*[SendFailed("busy")] * 4)
    message = create_order().messages.get()
    waits = []
    with time_machine.travel(timezone.now() + timedelta(seconds=1), tick=False) as clock:
        for _ in range(4):
            assert outbox.send_due() == 1
            message.refresh_from_db()
            waits.append((message.next_attempt_at - timezone.now()).total_seconds())
            clock.move_to(message.next_attempt_at)

        assert (message.state, message.attempts, message.error) == ("given_up", 4, "busy")
        assert waits[:3] == [30, 60, 120]
        assert outbox.send_due() == 0
    assert list(Message.objects.given_up()) == [message]


@pytest.mark.django_db
def test_gives_up_at_once_where_trying_again_is_no_use(sent, broken):
    broken(SendFailed("no such number", lasting=True))
    message = create_order().messages.get()

    outbox.send_due()

    message.refresh_from_db()
    assert message.state == "given_up"


@pytest.mark.django_db
def test_what_was_given_up_can_be_sent_after_all(sent, broken):
    broken(SendFailed("no such template", lasting=True))
    message = create_order().messages.get()
    outbox.send_due()
    message.refresh_from_db()

    outbox.try_again(message)
    outbox.send_due()

    assert sent() == [message.out_id]


@pytest.mark.django_db
def test_a_message_whose_sender_died_before_sending_is_sent_later(sent):
    message = create_order().messages.get()
    outbox._claim(timezone.now(), 10)

    assert outbox.send_due() == 0
    assert outbox.send_due(now=timezone.now() + outbox.CLAIM) == 1
    assert sent() == [message.out_id]


@pytest.mark.django_db
def test_a_message_whose_sender_died_after_sending_is_not_sent_again(sent, monkeypatch):
    message = create_order().messages.get()
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_note", lambda *_args, **_kwargs: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            outbox.send_due()
    assert sent() == [message.out_id]

    outbox.send_due(now=timezone.now() + outbox.CLAIM)

    message.refresh_from_db()
    assert sent() == [message.out_id]
    assert (message.state, message.attempts) == ("sent", 2)


@pytest.mark.django_db(transaction=True)
def test_senders_side_by_side_send_each_message_once(sent):
    for _ in range(30):
        create_order()

    def send_all() -> int:
        total = 0
        while taken := outbox.send_due(limit=3):
            total += taken
        return total

    assert sum(at_once([send_all] * 4)) == 30
    assert len(sent()) == len(set(sent())) == 30
    assert Message.objects.filter(state="sent", attempts=1).count() == 30


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "told"),
    [("placed", ["placed"]), ("ready", ["placed", "ready"]), ("cancelled", ["cancelled"]), ("expired", ["expired"])],
)
def test_does_not_tell_what_is_no_longer_true(sent, state: str, told: list[str]):
    create_order(state=state)

    outbox.send_due(now=timezone.now() + timedelta(days=30_000))

    assert [out_id.split("-")[2] for out_id in sent()] == told
    assert not Message.objects.filter(state="waiting").exists()


@pytest.mark.django_db
def test_does_not_remind_of_what_has_run_out(sent):
    from orders.holds import remind_customers

    order = create_order(state="ready")
    remind_customers(now=order.held_until - timedelta(hours=1))

    with time_machine.travel(order.held_until):
        outbox.send_due()

    assert [out_id.split("-")[2] for out_id in sent()] == ["placed", "ready"]


@pytest.mark.django_db
def test_sends_nothing_to_a_customer_who_was_erased(sent):
    order = create_order()
    lifecycle.cancel(order, CLERK)
    erase_old_customers(now=timezone.now() + timedelta(days=181))

    outbox.send_due()

    assert sent() == []
    assert set(order.messages.values_list("state", flat=True)) == {"outdated"}


@pytest.mark.django_db
def test_one_text_that_cannot_be_made_does_not_stop_the_others(sent, monkeypatch):
    bad, good = create_order(), create_order()
    render = outbox.render

    def fail_for_one(kind, order):
        if order.number == bad.number:
            raise LookupError("no such outlet")
        return render(kind, order)

    monkeypatch.setattr(outbox, "render", fail_for_one)
    outbox.send_due()

    assert sent() == [f"{good.number}-1-placed"]
    assert bad.messages.get().error == "LookupError"


@pytest.mark.django_db
def test_no_log_line_and_no_error_names_the_number(sent, broken, caplog):
    caplog.set_level(logging.DEBUG)
    order = create_order()
    broken(SendFailed(f"cannot reach /?PhoneNumbers={order.mobile[3:]}&x=1"))

    outbox.send_due()
    outbox.send_due(now=timezone.now() + timedelta(hours=1))

    assert order.messages.get().state == "sent"
    assert order.mobile[3:] not in caplog.text
    assert order.mobile[3:6] + "****" + order.mobile[-4:] in caplog.text


@pytest.mark.django_db
def test_an_error_is_kept_with_the_number_masked(sent, broken):
    order = create_order()
    broken(SendFailed(f"cannot reach /?PhoneNumbers={order.mobile[3:]}"))

    outbox.send_due()

    assert order.messages.get().error == f"cannot reach /?PhoneNumbers={order.mobile[3:6]}****{order.mobile[-4:]}"


@pytest.mark.django_db
def test_the_console_masks_the_number(settings, capsys):
    settings.SMS_BACKEND = "console"
    order = create_order()

    outbox.send_due()

    shown = capsys.readouterr().out
    assert order.pickup_code in shown
    assert order.mobile[3:] not in shown


def test_a_half_written_line_of_a_killed_sender_is_passed_over(settings, tmp_path):
    path = tmp_path / "messages.jsonl"
    path.write_text('{"out_id": "1"}\n{"out_id": "2", "mob\n{"out_id": "3"}\n')

    assert [record["out_id"] for record in backends.read_file(path)] == ["1", "3"]
