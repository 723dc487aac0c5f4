"""Signing in at the desk: by name or mobile number, not too often, with a second step if wanted, not for ever."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from stores import people, second_step
from stores.models import Role
from tests.crowd import at_once
from tests.desk import PASSWORD, create_person, sign_in
from tests.factories import create_outlet

SIGN_IN = "/desk/sign-in/"


def enter(client: Client, username: str, password: str = PASSWORD, **values: str):
    return client.post(SIGN_IN, {"username": username, "password": password, **values})


def is_in(client: Client) -> bool:
    return client.get("/desk/password/").status_code == 200


@pytest.mark.parametrize("typed", ["wang.fang", " WANG.Fang ", "ｗａｎｇ.fang", "13800138000", "+86 138 0013 8000"])
def test_lets_in_by_name_or_mobile_number(db: None, client: Client, typed: str) -> None:
    people.add_person("wang.fang", "王芳", mobile="13800138000", password=PASSWORD)

    answer = enter(client, typed)

    assert answer.status_code == 302
    assert answer["Location"] == "/desk/"
    assert is_in(client)


def test_leads_back_to_the_page_that_was_asked_for(db: None, client: Client) -> None:
    outlet = create_outlet()
    person = create_person(Role.CLERK, outlet)
    asked = f"/en/desk/{outlet.code}/?x=1"

    sent_away = client.get(asked)
    assert sent_away["Location"] == f"/en/desk/sign-in/?next=%2Fen%2Fdesk%2F{outlet.code}%2F%3Fx%3D1"

    assert enter(client, person.username, next=asked)["Location"] == asked


@pytest.mark.parametrize(
    "next_",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "javascript:alert(1)",
        "desk:password",
        "elsewhere",
        "\x00",
    ],
)
def test_leads_nowhere_else(db: None, client: Client, next_: str) -> None:
    person = create_person()

    assert enter(client, person.username, next=next_)["Location"] == "/desk/"


@pytest.mark.parametrize("username", ["person", "nobody", "13912345678", "王", "x" * 100, "'; --"])
def test_a_wrong_name_and_a_wrong_password_get_one_answer(db: None, client: Client, username: str) -> None:
    people.add_person("person", "王芳", password=PASSWORD)

    answer = enter(client, username, "wrong")

    assert answer.status_code == 200
    assert "名字和密码对不上" in answer.text
    assert not is_in(client)


@pytest.mark.parametrize(
    "typed", [{}, {"username": "a\x00b", "password": "x"}, {"username": "a", "password": "x" * 200}]
)
def test_what_cannot_be_a_name_or_password_is_pointed_at(db: None, client: Client, typed: dict[str, str]) -> None:
    answer = client.post(SIGN_IN, typed)

    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text


def test_who_was_switched_off_stays_out(db: None, client: Client) -> None:
    person = create_person(is_active=False)

    assert enter(client, person.username).status_code == 200
    assert not is_in(client)


def test_who_is_switched_off_is_out_at_once(db: None) -> None:
    person = create_person()
    client = sign_in(person)
    assert is_in(client)

    person.is_active = False
    person.save()

    assert not is_in(client)


def test_the_sixth_try_has_to_wait_however_right_it_is(db: None, client: Client) -> None:
    person = create_person()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        last = enter(client, person.username, "wrong")
    assert last.status_code == 429

    answer = enter(client, person.username)

    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not is_in(client)
    with time_machine.travel(time.time() + settings.AXES_COOLOFF_TIME.total_seconds() + 1):
        assert enter(client, person.username).status_code == 302


def test_others_behind_the_same_address_are_not_locked_out(db: None, client: Client) -> None:
    person, other = create_person(), create_person()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        enter(client, person.username, "wrong")

    assert enter(client, other.username).status_code == 302


def test_one_name_cannot_be_tried_from_many_addresses(db: None) -> None:
    person = create_person()
    answers = [
        Client(REMOTE_ADDR=f"2001:db8:{number}::1").post(SIGN_IN, {"username": person.username, "password": "wrong"})
        for number in range(31)
    ]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


def test_what_was_typed_for_a_name_is_kept_nowhere(db: None, client: Client) -> None:
    enter(client, "my secret password", "x")

    from axes.models import AccessAttempt

    kept = AccessAttempt.objects.get()
    assert "secret" not in f"{kept.username} {kept.post_data} {kept.get_data}"


def test_a_first_password_lets_one_choose_another_and_nothing_else(db: None, client: Client) -> None:
    outlet = create_outlet()
    person, first = people.add_person("new", "新人")
    people.assign(person, Role.CLERK, outlet)
    enter(client, "new", first)

    assert client.get(f"/desk/{outlet.code}/")["Location"] == "/desk/password/"
    assert client.get("/desk/")["Location"] == "/desk/password/"
    weak = client.post("/desk/password/", {"old": first, "new": "12345678", "again": "12345678"})
    assert weak.status_code == 200
    same = client.post("/desk/password/", {"old": first, "new": first, "again": first})
    assert same.status_code == 200
    chosen = client.post("/desk/password/", {"old": first, "new": PASSWORD, "again": PASSWORD})

    assert chosen.status_code == 302
    assert client.get(f"/desk/{outlet.code}/").status_code == 200


def test_what_was_done_is_said_on_the_next_page_once(db: None) -> None:
    outlet = create_outlet()
    client, new = sign_in(create_person(Role.CLERK, outlet)), "another-good-word-4"
    client.post("/desk/password/", {"old": PASSWORD, "new": new, "again": new})

    first, second = client.get(f"/desk/{outlet.code}/").text, client.get(f"/desk/{outlet.code}/").text

    assert '<p class="done" role="status"><b>✓</b> 新密码已生效。</p>' in first
    assert 'class="done"' not in second


def test_a_new_password_ends_the_other_sessions(db: None) -> None:
    person = create_person()
    here, elsewhere = sign_in(person), sign_in(person)
    new = "another-good-word-4"

    here.post("/desk/password/", {"old": PASSWORD, "new": new, "again": new})

    assert is_in(here)
    assert not is_in(elsewhere)


def test_a_password_that_was_reset_ends_all_sessions(db: None, client: Client) -> None:
    person = create_person()
    signed_in = sign_in(person)
    second_step.prepare(person)

    first = people.reset_password(person)

    assert not is_in(signed_in)
    assert not TOTPDevice.objects.exists()
    assert enter(client, person.username, first).status_code == 302
    assert client.get("/desk/")["Location"] == "/desk/password/"


def test_a_session_ends_when_nothing_is_done(db: None, client: Client) -> None:
    person = create_person()
    with time_machine.travel("2026-03-01 09:00+08:00", tick=False) as clock:
        enter(client, person.username)
        for _ in range(3):
            clock.shift(timedelta(minutes=settings.DESK_IDLE_MINUTES * 0.8))
            assert is_in(client)
        clock.shift(timedelta(minutes=settings.DESK_IDLE_MINUTES + 1))
        assert not is_in(client)


def test_a_page_that_refreshes_itself_keeps_nobody_in(db: None, client: Client) -> None:
    outlet = create_outlet()
    person = create_person(Role.CLERK, outlet)
    with time_machine.travel("2026-03-01 09:00+08:00", tick=False) as clock:
        enter(client, person.username)
        for _ in range(5):
            clock.shift(timedelta(minutes=settings.DESK_IDLE_MINUTES * 0.3))
            last = client.get(f"/desk/{outlet.code}/", headers={"X-Fragment": "yes"})
        assert last.status_code == 401
        assert last.content == b""


def test_a_session_ends_after_a_day_of_work_however_busy(db: None, client: Client) -> None:
    person = create_person()
    with time_machine.travel("2026-03-01 08:00+08:00", tick=False) as clock:
        enter(client, person.username)
        for _ in range(settings.DESK_SESSION_HOURS):
            clock.shift(timedelta(hours=1))
            assert is_in(client)
        clock.shift(timedelta(minutes=1))
        answer = client.get("/desk/password/")
        assert answer["Location"] == "/desk/sign-in/?ended=1&next=%2Fdesk%2Fpassword%2F"
        assert not is_in(client)
        assert "重新登录" in client.get(answer["Location"]).text


def test_signing_out_ends_the_session_in_the_database(db: None) -> None:
    client = sign_in(create_person())
    assert Session.objects.count() == 1
    assert client.get("/desk/sign-out/").status_code == 302
    assert is_in(client)

    client.post("/desk/sign-out/")

    assert not Session.objects.exists()
    assert not is_in(client)


def test_a_session_left_open_does_not_tell_the_password(db: None) -> None:
    client = sign_in(create_person())
    guesses = [client.post("/desk/password/", {"old": f"guess-{number}"}) for number in range(11)]

    assert [guess.status_code for guess in guesses] == [200] * 10 + [429]
    right = {"old": PASSWORD, "new": "another-good-word-4", "again": "another-good-word-4"}
    assert client.post("/desk/password/", right).status_code == 429


def test_signing_in_needs_the_token_of_the_form(db: None) -> None:
    person = create_person()
    client = Client(enforce_csrf_checks=True)

    assert enter(client, person.username).status_code == 403


def code_of(device: TOTPDevice, steps: int = 0) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + steps * device.step
    return f"{totp.token():06}"


@pytest.fixture
def with_second_step(db: None) -> tuple[Client, TOTPDevice]:
    """A client whose person has just begun to use the second step, through its page."""
    client = sign_in(create_person())
    page = client.get("/desk/second-step/")
    assert "<svg" in page.text
    device = TOTPDevice.objects.get()
    assert device.confirmed is False
    assert client.post("/desk/second-step/", {"code": "000000"}).status_code == 200
    with time_machine.travel(time.time() + 60):
        assert client.post("/desk/second-step/", {"code": code_of(device)}).status_code == 302
    device.refresh_from_db()
    assert device.confirmed is True
    return client, device


def test_the_second_step_is_asked_for_before_anything_else(with_second_step: tuple[Client, TOTPDevice]) -> None:
    _, device = with_second_step
    client = Client()
    with time_machine.travel(time.time() + 300):
        answer = enter(client, device.user.username)
        assert answer["Location"] == "/desk/sign-in/code/"
        assert not is_in(client)
        assert client.post("/desk/sign-in/code/", {"code": "abc"}).status_code == 200

        code = code_of(device)
        assert client.post("/desk/sign-in/code/", {"code": code})["Location"] == "/desk/"
        assert is_in(client)

        another = Client()
        enter(another, device.user.username)
        assert another.post("/desk/sign-in/code/", {"code": code}).status_code == 200, "a code lets in once"
        assert not is_in(another)


def test_guessing_codes_takes_longer_each_time(with_second_step: tuple[Client, TOTPDevice]) -> None:
    _, device = with_second_step
    client = Client()
    with time_machine.travel(time.time() + 300, tick=False):
        enter(client, device.user.username)
        assert client.post("/desk/sign-in/code/", {"code": "000000"}).status_code == 200
        right = client.post("/desk/sign-in/code/", {"code": code_of(device)})
        assert right.status_code == 200
        assert not is_in(client)


def test_the_code_must_follow_the_password_soon(with_second_step: tuple[Client, TOTPDevice]) -> None:
    _, device = with_second_step
    client = Client()
    assert client.get("/desk/sign-in/code/")["Location"] == "/desk/sign-in/"
    with time_machine.travel(time.time() + 300):
        enter(client, device.user.username)
    with time_machine.travel(time.time() + 300 + 601):
        answer = client.post("/desk/sign-in/code/", {"code": code_of(device)})
        assert answer["Location"] == "/desk/sign-in/"


def test_the_second_step_ends_with_the_password_only(with_second_step: tuple[Client, TOTPDevice]) -> None:
    client, device = with_second_step
    assert client.post("/desk/second-step/", {"password": "wrong"}).status_code == 200
    assert second_step.is_wanted(device.user)

    client.post("/desk/second-step/", {"password": PASSWORD})

    assert not second_step.is_wanted(device.user)


@pytest.mark.django_db(transaction=True)
def test_of_a_crowd_with_one_code_one_comes_in() -> None:
    person = create_person()
    device = TOTPDevice.objects.create(user=person, confirmed=True, name="app")
    code = int(code_of(device))

    outcomes = at_once([lambda: second_step.passes(person, code) for _ in range(8)])

    assert sorted(map(str, outcomes)) == ["False"] * 7 + ["True"]


@pytest.mark.django_db(transaction=True)
def test_a_crowd_of_guesses_locks_the_name_like_one_guesser() -> None:
    person = create_person()
    guesses = [lambda: enter(Client(), person.username, "wrong").status_code for _ in range(12)]
    outcomes = at_once(guesses)

    assert set(outcomes) <= {200, 429}
    assert enter(Client(), person.username).status_code == 429


def test_each_form_of_ones_own_sent_again_says_the_same_and_does_no_more(db: None) -> None:
    person, new = create_person(), "another-good-word-4"
    here, lost = sign_in(person), sign_in(person)
    form = {"old": PASSWORD, "new": new, "again": new}
    for _ in range(2):
        assert "Your new password holds" in here.post("/en/desk/password/", form, follow=True).text
    # Whoever never saw the answer has the cookie of a session that it ended.
    assert "If you have just chosen a new password, it holds" in lost.post("/en/desk/password/", form, follow=True).text
    wrong = here.post("/en/desk/password/", {"old": "guess", "new": "good-word-5-guess", "again": "good-word-5-guess"})
    assert "This is not your password so far" in wrong.text

    page = "/en/desk/second-step/"
    here.get(page)
    with time_machine.travel(time.time() + 60):
        code = {"code": code_of(TOTPDevice.objects.get())}
        for _ in range(2):
            assert "you sign in with password and code" in here.post(page, code, follow=True).text
    for _ in range(2):
        assert "your password is enough" in here.post(page, {"password": new}, follow=True).text
    for _ in range(2):
        assert here.post("/en/desk/sign-out/")["Location"].startswith("/en/desk/sign-in/")
    assert not is_in(here)
