"""Why a deed with stock was refused: data for programs, which page, API and SMS each put in their own words."""

from __future__ import annotations

from typing import ClassVar


class StockRefusal(Exception):
    """The rules said no, and nothing was changed. `code` is stable and for programs."""

    code: ClassVar[str] = "refused"


class OperationKeyReused(StockRefusal):
    """The operation key stands for another operation of this outlet."""

    code = "operation_key_reused"

    def __init__(self, outlet_id: int, operation_key: str) -> None:
        self.outlet_id, self.operation_key = outlet_id, operation_key
        super().__init__(f"Outlet {outlet_id}: operation key {operation_key!r} stands for another operation.")
