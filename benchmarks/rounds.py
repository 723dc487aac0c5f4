"""Rounds: every subject a little, again and again, so that a noisy minute troubles all of them alike."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

# Many and short, for the machine's pace changes within seconds.
ROUNDS = 20


@dataclass
class Subject:
    """One thing to measure: `deed` does it once and checks its answer, `cpu_seconds` reads what was used so far."""

    name: str
    deed: Callable[[], object]
    cpu_seconds: Callable[[], float]
    times: int = 25
    milliseconds: list[float] = field(default_factory=list)

    def run(self) -> None:
        for _ in range(5):
            self.deed()
        before = self.cpu_seconds()
        for _ in range(self.times):
            self.deed()
        self.milliseconds.append((self.cpu_seconds() - before) / self.times * 1000)

    @property
    def typical(self) -> float:
        return median(self.milliseconds)


def measure(subjects: list[Subject], rounds: int = ROUNDS) -> None:
    order = random.Random(11)  # noqa: S311
    for number in range(rounds):
        for subject in order.sample(subjects, len(subjects)):
            subject.run()
        print(f"round {number + 1} of {rounds}", flush=True)


def ratio(floor: Subject, subject: Subject) -> float:
    """Return how many times the floor's cost goes into the subject's: the median of the rounds' own ratios."""
    return median(low / cost for low, cost in zip(floor.milliseconds, subject.milliseconds, strict=True))


def noise() -> str:
    """Say how busy the machine was."""
    load = os.getloadavg()[0]
    return f"load average {load:.1f} on {os.cpu_count()} cores"
