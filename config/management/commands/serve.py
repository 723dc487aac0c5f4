import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from config import env, postgres, static_files
from config.processes import Companion
from office import demo_people as office_people
from orders import demo_day
from stores.loading import demo_people as desk_people
from stores.models import Outlet

# Web processes of a server that was killed need a moment to notice.
SECONDS_FOR_PORT = 8
# How long a past the demo has: enough for its reports, and loaded in some seconds.
DEMO_DAYS = 7


class Command(BaseCommand):
    help = "Bring database and static files up to date, load the demo into an empty database, and serve the site."

    # Where, as what, under which name and with which password one signs in to a demo.
    _sign_ins: list[tuple[str, ...]] = []

    def handle(self, *args: Any, **options: Any) -> None:
        # Leave in good order, also before the web server listens to signals.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        try:
            host = env.text("HOST", "127.0.0.1")
            port = env.number("PORT", 8000, least=1, most=65535)
            workers = env.number("WORKERS", 2, least=1, most=64)
            address = _free_address(host, port)
            self._prepare()
        except (env.WrongSetting, OperationalError) as error:
            raise CommandError(str(error).strip().splitlines()[0]) from error
        connections.close_all()
        if settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET):
            postgres.keep()
        self._serve(address, port, workers)

    def _prepare(self) -> None:
        call_command("migrate", verbosity=0)
        if static_files.collect():
            self.stdout.write("Static files collected.")
        if settings.DEMO:
            if not Outlet.objects.exists():
                call_command("load_demo")
                call_command("load_history", days=DEMO_DAYS)
            # Also for a demo that was loaded when nobody could sign in yet.
            desk_people.add_people()
            office_people.add_people()
            demo_day.play()
            self._sign_ins = [("desk/", *each) for each in desk_people.sign_ins()]
            office = office_people.sign_ins()
            self._sign_ins += [("admin/", f"colleague in head office ({role})", *who) for role, *who in office]

    def _serve(self, address: str, port: int, workers: int) -> None:
        server = Granian(
            "config.web:application",
            address=address,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=2,
            blocking_threads_idle_timeout=600,
            respawn_failed_workers=True,
            workers_kill_timeout=10,
            websockets=False,
            log_level=LogLevels.warning,
            reload=settings.DEBUG,
            reload_ignore_dirs=["var", "staticfiles", ".venv"],
        )
        server.on_startup(lambda: self._started(address, port))
        worker = Companion(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", f"--companion-of={os.getpid()}"]
        )
        if settings.DEBUG:
            # A fork would keep the modules as they were, whatever changed.
            multiprocessing.set_start_method("spawn", force=True)
        try:
            server.serve()
        finally:
            worker.stop()

    def _started(self, address: str, port: int) -> None:
        # A terminal that is closed must not leave the server behind.
        signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
        threading.Thread(target=self._greet, args=[address, port], daemon=True).start()

    def _greet(self, address: str, port: int) -> None:
        """Say where the site is as soon as it answers."""
        while not _answers(address, port):
            time.sleep(0.05)
        site = f"http://localhost:{port}/"
        for path, role, username, password in self._sign_ins:
            self.stdout.write(f"At {site}{path} a {role} signs in as {username} with the password {password}.")
        self.stdout.write(f"Cunpu runs at {site} (Chinese) and {site}en/ (English). Ctrl-C stops it.")
        self.stdout.flush()


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port)).close()
    except OSError:
        return False
    return True


def _free_address(host: str, port: int) -> str:
    """Return the address of `host` after waiting for `port` to be free there."""
    try:
        family, kind, _, _, (address, *_) = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise env.WrongSetting("HOST", f"must be an address of this machine, not {host!r}") from error
    began = time.monotonic()
    while True:
        try:
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((address, port))
            return str(address)
        except OSError as error:
            if time.monotonic() - began > SECONDS_FOR_PORT or isinstance(error, PermissionError):
                raise CommandError(
                    f"Cannot listen on port {port} of {host} ({error.strerror}): "
                    "stop what uses it, or choose another port, as in PORT=8001 script/server."
                ) from error
            time.sleep(0.2)
