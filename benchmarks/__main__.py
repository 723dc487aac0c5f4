"""Measure and print; with --write-docs also keep the tables in docs/benchmarks.md. Run by script/bench."""

import argparse
import os
from importlib import import_module

import django
from django.conf import settings

from benchmarks.meter import ROOT
from benchmarks.rounds import noise

INTRODUCTION = """\
# Benchmarks

CPU milliseconds a request or deed, web process and PostgreSQL together, medians of interleaved rounds. A ratio is the
floor's cost divided by ours in the same round: 1.0 is as cheap as the floor, more is cheaper; what misses its goal is
bold.
Made by `script/bench --write-docs` on {cores} cores ({noise}).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", default=SUBJECTS, help=f"what to measure: {', '.join(SUBJECTS)}")
    parser.add_argument("--write-docs", action="store_true")
    arguments = parser.parse_args()
    introduction = INTRODUCTION.format(cores=os.cpu_count(), noise=noise())
    tables = [import_module(f"benchmarks.{subject}").run() for subject in arguments.subjects]
    text = "\n".join([introduction, *tables])
    print(text)
    if arguments.write_docs:
        (ROOT / "docs" / "benchmarks.md").write_text(text)


SUBJECTS = ["pages", "web_door", "orders_a_second"]

if __name__ == "__main__":
    from config import postgres

    if settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET):
        postgres.use()
    django.setup()
    main()
