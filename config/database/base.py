"""Where Django looks for the wrapper of the engine `config.database`."""

from __future__ import annotations

import time
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """
    A connection that is asked once a second whether it still works, and not before every request.

    A database that was started anew was away for longer than that, so it still costs no visitor an error page.
    """

    SECONDS_BETWEEN_CHECKS = 1.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._worked_at = 0.0

    def close_if_health_check_failed(self) -> None:
        if time.monotonic() - self._worked_at < self.SECONDS_BETWEEN_CHECKS:
            # That answer counts for the whole request. A transaction may end when it is old, and Django comes by here
            # before it leaves the transaction: a question asked then would begin another one.
            self.health_check_done = True
        if not self.health_check_done:
            super().close_if_health_check_failed()
            self._worked_at = time.monotonic()

    def close(self) -> None:
        # What comes next is another connection.
        self._worked_at = 0.0
        super().close()
