"""Columns of PostgreSQL's own types for transactions and what they see."""

from __future__ import annotations

from typing import Any

from django.db import models


class TransactionField(models.Field):
    """An `xid8`: the number of a transaction, which never comes again. Written by the database alone."""

    def db_type(self, connection: Any) -> str:
        return "xid8"


class SnapshotField(models.Field):
    """A `pg_snapshot`: which transactions had ended at a moment. Written by the database alone."""

    def db_type(self, connection: Any) -> str:
        return "pg_snapshot"
