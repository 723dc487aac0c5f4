"""Processes that belong together end together."""

import os
import signal
import subprocess
import threading
import time

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_FINISH = 5
SECONDS_BETWEEN_STARTS = 2
SECONDS_FOR_COMPANION = 15


def end_with(parent: int | None, *, at_once: bool = False) -> None:
    """
    End this process when `parent` is no longer its parent: one that was killed cannot say so.

    `at_once`: together with everything that it started, which is its process group.
    """
    threading.Thread(target=_watch, args=[parent, at_once], daemon=True).start()


def _watch(parent: int | None, at_once: bool) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    if at_once:
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECONDS_TO_FINISH)
    os._exit(1)


class Companion:
    """A program that runs as long as this one does, and is started again when it ends by itself."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.stopping = threading.Event()
        self.process = self._start()
        self.watcher = threading.Thread(target=self._keep, daemon=True)
        self.watcher.start()

    def stop(self) -> None:
        """Let it finish what it is doing, and wait for that."""
        self.stopping.set()
        self.process.terminate()
        self.watcher.join(SECONDS_FOR_COMPANION)
        self.process.kill()

    def _start(self) -> subprocess.Popen[bytes]:
        # In a session of its own, since Ctrl-C in a terminal is for the main process, which then tells this one.
        return subprocess.Popen(self.command, start_new_session=True)

    def _keep(self) -> None:
        self.process.wait()
        while not self.stopping.wait(SECONDS_BETWEEN_STARTS):
            self.process = self._start()
            if self.stopping.is_set():  # It was asked to stop in this very moment.
                self.process.terminate()
            self.process.wait()
