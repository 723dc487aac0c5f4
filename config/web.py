"""What each web process of `manage.py serve` runs: the application, and an end together with the main process."""

import multiprocessing
import os
import signal
import threading
import time

# Ctrl-C is for the main process, which then tells this one: Granian's workers hang for good on a second signal.
os.setsid()
# A process that is still starting has inherited the main one's way with the signal, and would not end by it.
signal.signal(signal.SIGTERM, signal.SIG_DFL)

from config.wsgi import application as application  # noqa: E402

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_FINISH = 5


def _end_with(parent: int | None) -> None:
    """Stop this process when `parent` is gone: a killed main process cannot say so, and would leave the port taken."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_FINISH)
    os._exit(1)


main = multiprocessing.parent_process()
threading.Thread(target=_end_with, args=[main and main.pid], daemon=True).start()
