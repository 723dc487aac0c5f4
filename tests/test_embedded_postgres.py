"""The PostgreSQL that the project brings along starts anywhere, survives a kill, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.conf import settings

# Use the database, say where it is, run a statement if there is one, and stay until told to go.
USER = """
import json, sys, psycopg2
from config import postgres
try:
    postgres.use()
    postgres.use()  # Once more is no second user.
except postgres.PostgresError as error:
    sys.exit(str(error))
place = postgres.settings()
connection = psycopg2.connect(host=place["HOST"], port=place["PORT"], user=place["USER"], dbname=place["NAME"])
connection.autocommit = True
cursor = connection.cursor()
cursor.execute(sys.argv[1])
rows = cursor.fetchall() if cursor.description else []
pid = int((postgres.HOME / "data/postmaster.pid").open().readline())
print(json.dumps({"socket": place["HOST"], "rows": rows, "pid": pid}))
sys.stdout.flush()
sys.stdin.read()
"""

# The same, and bring it back when it is gone, but let others be first.
KEEPER = USER.replace("place =", "postgres.SECONDS_BETWEEN_LOOKS = 2\npostgres.keep()\nplace =", 1)


class Checkout:
    """A copy of the part of the project that brings the database along."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.users: list[subprocess.Popen[str]] = []
        (folder / "config").mkdir(parents=True)
        for name in ("__init__.py", "postgres.py", "postgres_places.py"):
            shutil.copy(settings.BASE_DIR / "config" / name, folder / "config")

    def enter(self, statement: str = "select 1", script: str = USER, **options: Any) -> subprocess.Popen[str]:
        """Start a process that uses the database."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        user = subprocess.Popen(
            [sys.executable, "-c", script, statement], cwd=self.folder, text=True, **pipes, **options
        )
        self.users.append(user)
        return user

    def use(self, statement: str = "select 1", **options: Any) -> dict[str, Any]:
        """Use the database once, and leave."""
        answer, complaint = self.enter(statement, **options).communicate()
        assert not complaint
        return json.loads(answer)

    def complaint(self) -> str:
        return self.enter().communicate()[1]

    def leave(self) -> None:
        """End every process that uses the database."""
        for user in self.users:
            user.communicate()
        self.users.clear()

    def remove(self) -> None:
        self.leave()
        home = self.folder / "var" / "postgres"
        shutil.rmtree(home.resolve(), ignore_errors=True)
        shutil.rmtree(self.folder)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that every account may enter."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def place() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def fresh(place: Path) -> Iterator[Checkout]:
    checkout = Checkout(place / "shop")
    yield checkout
    checkout.remove()


@pytest.fixture(scope="module")
def shared() -> Iterator[Checkout]:
    with open_folder() as folder:
        checkout = Checkout(folder / "shop")
        yield checkout
        checkout.remove()


@pytest.fixture
def checkout(shared: Checkout) -> Iterator[Checkout]:
    """One for tests that leave it whole."""
    yield shared
    shared.leave()


def says(user: subprocess.Popen[str]) -> dict[str, Any]:
    assert user.stdout
    return json.loads(user.stdout.readline())


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_two_at_once_share_one_server_and_the_last_one_out_stops_it(fresh: Checkout):
    first, second = fresh.enter(), fresh.enter()
    one, other = says(first), says(second)
    assert one["pid"] == other["pid"]

    first.communicate()
    assert fresh.use()["pid"] == one["pid"]
    assert not is_gone(one["pid"])

    second.communicate()
    assert is_gone(one["pid"])
    assert not Path(one["socket"]).exists()


def test_keeps_what_was_committed_when_the_server_is_killed(checkout: Checkout):
    checkout.use("create table orders as select 'acknowledged' as state")
    user = checkout.enter()
    os.kill(says(user)["pid"], signal.SIGKILL)

    assert checkout.use("select state from orders")["rows"] == [["acknowledged"]]


def test_whoever_started_it_takes_notice_of_its_end_also_when_another_started_it_again(checkout: Checkout):
    keeper = checkout.enter(script=KEEPER)
    first = says(keeper)["pid"]
    os.kill(first, signal.SIGKILL)
    assert says(checkout.enter())["pid"] != first

    with suppress(psutil.NoSuchProcess):
        psutil.Process(first).wait(timeout=20)

    assert keeper.poll() is None


def test_a_killed_user_counts_as_gone(checkout: Checkout):
    user = checkout.enter()
    pid = says(user)["pid"]
    user.kill()
    user.wait()
    assert not is_gone(pid)

    assert checkout.use()["pid"] == pid
    assert is_gone(pid)


def test_starts_below_a_long_path_with_spaces_and_quotes(place: Path):
    checkout = Checkout(place / "a 'quoted' \"folder\" 村铺" / ("long" * 40))

    assert checkout.use("select current_setting('server_encoding')")["rows"] == [["UTF8"]]
    checkout.remove()


def test_starts_below_a_closed_home_and_leaves_it_closed(place: Path):
    home = place / "home"
    home.mkdir(mode=0o700)
    checkout = Checkout(home / "shop")
    before = [path.stat().st_mode for path in (home, checkout.folder)]

    checkout.use("create table orders as select 1 as one")

    assert checkout.use("select one from orders")["rows"] == [[1]]
    assert [path.stat().st_mode for path in (home, checkout.folder)] == before
    checkout.remove()


def test_only_the_owner_reaches_the_socket_and_nothing_listens_on_the_network(checkout: Checkout):
    user = checkout.enter("select current_setting('listen_addresses')")
    answer = says(user)

    assert answer["rows"] == [[""]]
    assert Path(answer["socket"]).stat().st_mode & 0o777 == 0o700
    assert psutil.Process(answer["pid"]).uids().real != 0


def test_the_application_is_no_superuser_and_letters_are_chinese_too(checkout: Checkout):
    row = "select rolsuper, rolcreatedb, '村' ~ '[[:alpha:]]' from pg_roles where rolname = current_user"

    assert checkout.use(row)["rows"] == [[False, True, True]]


def test_its_log_tells_of_errors_but_not_what_was_typed(checkout: Checkout):
    checkout.use("create table known (mobile text check (mobile = ''))")

    _answer, complaint = checkout.enter("insert into known select '+8613812345678' as typed").communicate()

    assert "+8613812345678" in complaint  # The program is told; what it does with it is another matter.
    log = (checkout.folder / "var/postgres/log").read_text()
    assert 'violates check constraint "known_mobile_check"' in log
    assert "13812345678" not in log


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(checkout: Checkout):
    # Whoever runs the tests in the background of a shell has Ctrl-C ignored, and what they start would have so, too.
    user = checkout.enter(start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    pid = says(user)["pid"]

    os.killpg(user.pid, signal.SIGINT)
    user.wait()

    # The interrupted process stopped it in good order; a killed one would have left its file.
    assert is_gone(pid)
    assert not (checkout.folder / "var/postgres/data/postmaster.pid").exists()


def test_says_in_one_sentence_what_to_do_about_another_version(fresh: Checkout):
    fresh.use()
    (fresh.folder / "var/postgres/data/PG_VERSION").write_text("9\n")

    complaint = fresh.complaint()

    assert "was written by PostgreSQL 9" in complaint
    assert "set DATABASE_URL" in complaint
    assert complaint.count("\n") == 1


def test_refuses_a_socket_folder_that_is_open_to_others(checkout: Checkout):
    socket = Path(checkout.use()["socket"])
    socket.mkdir()
    socket.chmod(0o777)

    complaint = checkout.complaint()
    socket.rmdir()

    assert "belongs to someone else or is open to others: delete it" in complaint
    assert complaint.count("\n") == 1


def test_says_why_the_server_does_not_start(fresh: Checkout):
    fresh.use()
    with (fresh.folder / "var/postgres/data/postgresql.auto.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'plenty'\n")

    complaint = fresh.complaint()

    assert "did not start" in complaint
    assert "shared_buffers" in complaint or "configuration file" in complaint
    assert complaint.count("\n") == 1


def test_begins_anew_after_a_first_start_that_was_cut_short(fresh: Checkout):
    half = fresh.folder / "var/postgres/data.half"
    half.mkdir(parents=True, mode=0o755)
    (half / "PG_VERSION").write_text("18\n")

    began = time.monotonic()
    fresh.use()

    assert not half.exists()
    assert time.monotonic() - began < 30
