"""Why an order was refused: data for programs, and a sentence for people in the active language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from orders.models import Order


class OrderRefused(Exception):
    """The rules said no, and nothing was changed. `code` is stable and for programs; `data` names what it is about."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str | Promise, **data: Any) -> None:
        self.message, self.data = message, data
        super().__init__(message)

    def __str__(self) -> str:
        return str(self.message)


class BadMobile(OrderRefused):
    """The text is no Chinese mobile number."""

    code = "bad_mobile"


class BadName(OrderRefused):
    """The name is empty, too long or holds what no name holds."""

    code = "bad_name"


class BadQuantity(OrderRefused):
    """Nothing was ordered, or not a whole number of something."""

    code = "bad_quantity"


class PhoneNotListed(OrderRefused):
    """The phone is not on sale. `phone_ids`."""

    code = "phone_not_listed"


class OutletNotOpen(OrderRefused):
    """The outlet does not do business. `outlet`."""

    code = "outlet_not_open"


class OutOfStock(OrderRefused):
    """The outlet cannot promise all of it. `short`: phone id -> (wanted, left)."""

    code = "out_of_stock"


class TooManyOpenOrders(OrderRefused):
    """The mobile number has as many open orders as it may. `limit`."""

    code = "too_many_open_orders"


class TooManyOfOnePhone(OrderRefused):
    """The mobile number would have more of one phone on order than it may. `phone_id`, `limit`, `ordered`."""

    code = "too_many_of_one_phone"


class PriceRose(OrderRefused):
    """It costs more than the customer has seen. `prices`: phone id -> fen; `total_fen`."""

    code = "price_rose"


class SaleRefused(OrderRefused):
    """
    The price of a sale window is not to be had; another one is.

    `limit`, `ordered`: of that window; `prices`: phone id -> fen, of the phones concerned, what they can be had for
    here; `total_fen`: what everything would cost.
    """


class SaleLimitReached(SaleRefused):
    """The customer would have more phones at the prices of a sale window than one may."""

    code = "sale_limit_reached"


class SaleQuotaUsedUp(SaleRefused):
    """The outlet would give more of a phone at the price of a sale window than it may."""

    code = "sale_quota_used_up"


class WrongState(OrderRefused):
    """The order is not in a state that allows this. `state`, `number`."""

    code = "wrong_state"

    @classmethod
    def of(cls, order: Order) -> WrongState:
        return cls(
            _("This is no longer possible: the order is %(state)s.") % {"state": order.get_state_display()},
            state=order.state,
            number=order.number,
        )


class AlreadyCollected(OrderRefused):
    """Somebody else handed the order over before. `actor`, `at`."""

    code = "already_collected"


class WrongCode(OrderRefused):
    """This is not the pickup code of the order."""

    code = "wrong_code"


class TooManyWrongCodes(OrderRefused):
    """So many wrong codes were tried that none is looked at for a while. `wait_seconds`."""

    code = "too_many_wrong_codes"


class AlreadyExtended(OrderRefused):
    """The hold was extended before, and may be once."""

    code = "already_extended"


class AlreadyMoved(OrderRefused):
    """The order was moved before. `number`: where it lives on."""

    code = "already_moved"


class SameOutlet(OrderRefused):
    """An order is moved to another outlet, not to its own."""

    code = "same_outlet"


class WrongAmount(OrderRefused):
    """What was taken is not what is due. `due_fen`, `amount_fen`."""

    code = "wrong_amount"
