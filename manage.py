#!/usr/bin/env python
"""The front door for development and operation."""

import os
import sys

# These look at files only; every other command gets the embedded database, where it is the one in use.
WITHOUT_DATABASE = {"check", "collectstatic", "help", "messages", "version", "--help", "-h", "--version"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.conf import settings
        from django.core.management import execute_from_command_line

        from config import env, postgres
    except ImportError as error:
        sys.exit(f"{error}: run script/bootstrap, then .venv/bin/python manage.py.")
    try:
        embedded = settings.DATABASES["default"]["HOST"] == str(postgres.SOCKET)
        if embedded and not WITHOUT_DATABASE.intersection(sys.argv[1:2] or ["help"]):
            postgres.use()
    except (env.WrongSetting, postgres.PostgresError) as error:
        sys.exit(str(error))
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
