"""What each web process of `manage.py serve` runs: the application, and an end together with the main process."""

import multiprocessing
import os
import signal

# Ctrl-C is for the main process, which then tells this one: Granian's workers hang for good on a second signal.
os.setsid()
# A process that is still starting has inherited the main one's way with the signal, and would not end by it.
signal.signal(signal.SIGTERM, signal.SIG_DFL)

from config.processes import end_with  # noqa: E402
from config.wsgi import application as application  # noqa: E402

# Otherwise a killed main process would leave the port taken.
main = multiprocessing.parent_process()
end_with(main.pid if main else None)
