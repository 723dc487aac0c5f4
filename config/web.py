"""What each web process of `manage.py serve` runs: the application, and an end together with the main process."""

import os
import signal
import threading
import time

from config.wsgi import application as application

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_FINISH = 5


def _end_with(parent: int) -> None:
    """Stop this process when `parent` is gone: a killed main process cannot say so, and would leave the port taken."""
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_FINISH)
    os._exit(1)


threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
