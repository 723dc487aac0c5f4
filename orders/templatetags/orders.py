"""How numbers and codes of orders are written so that they can be read aloud."""

from django import template

from orders import numbers

register = template.Library()


@register.filter
def spoken(number: str) -> str:
    """Return an order number in groups of four."""
    return numbers.spoken(number)


@register.filter
def in_threes(code: str) -> str:
    """Return a pickup code in two groups of three."""
    return f"{code[:3]} {code[3:]}"
