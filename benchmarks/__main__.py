"""Measure and print; with --write-docs also keep the tables in the documents of DOCUMENTS. Run by script/bench."""

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
{made}
"""
STOCK = """\
# Benchmarks of stock

{made}
"""
NEAREST = """\
# Benchmark of the nearest stock

{made}
Not part of the default run: loading 1,500,000 outlets with 3,000,000 shelves takes long and several gigabytes.
"""
API = """\
# Benchmarks of the API

Ratios are the floor's cost divided by ours: 1.0 is as cheap as the floor, more is cheaper; of uploads it is ours
divided by the floor's. Floors of reads send the very SQL of the read, checking the key and counting the call included,
and write the rows down as JSON; the floor of an order is one statement that promises a phone and writes a row. What
follows it is how near to its goal an order could come that checks its key, counts the call and writes all its rows, but
asks no rule and goes through no REST framework.
{made}
"""
OFFICE = """\
# Benchmarks of head office

Over 15,000 outlets and a year of a million orders. Ratios are the floor's cost divided by ours: 1.0 is as cheap as the
floor. The floor of a page is its own SQL, sent again, with the rows written down as JSON, so what is missing to 1.0 is
making the page; signing in, what one may do and the frame of the page are in it. The floor of adding up is to read the
lines of those days and count them; ours also writes a row for each shelf and region, and takes the old ones away.
{made}
"""
MADE = "Made by `script/bench {subjects} --write-docs` on {cores} cores ({noise})."

# Each document, how it begins, and what is in it.
DOCUMENTS = {
    "benchmarks.md": (INTRODUCTION, ("pages", "web_door", "orders_a_second", "sale_crowd")),
    "benchmarks-stock.md": (STOCK, ("stock",)),
    "benchmarks-api.md": (API, ("api",)),
    "benchmarks-nearest.md": (NEAREST, ("nearest",)),
    "benchmarks-office.md": (OFFICE, ("office",)),
}
SUBJECTS = [subject for _, subjects in DOCUMENTS.values() for subject in subjects]
DEFAULT = [subject for subject in SUBJECTS if subject != "nearest"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("subjects", nargs="*", default=DEFAULT, help=f"what to measure: {', '.join(SUBJECTS)}")
    parser.add_argument("--write-docs", action="store_true", help="keep the tables of whole documents")
    arguments = parser.parse_args()
    for name, (introduction, subjects) in DOCUMENTS.items():
        asked = [subject for subject in subjects if subject in arguments.subjects]
        if not asked:
            continue
        if arguments.write_docs and len(asked) < len(subjects):
            parser.error(f"docs/{name} is written from all of: {' '.join(subjects)}")
        made = MADE.format(subjects=" ".join(asked), cores=os.cpu_count(), noise=noise())
        tables = [import_module(f"benchmarks.{subject}").run() for subject in asked]
        text = "\n".join([introduction.format(made=made), *tables])
        print(text)
        if arguments.write_docs:
            (ROOT / "docs" / name).write_text(text)


if __name__ == "__main__":
    from config import postgres

    if settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET):
        postgres.use()
    django.setup()
    main()
