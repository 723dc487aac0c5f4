"""The models that head office edits, each with who may and by which rule; importing this registers them."""

from office.back_office import catalogue, network, partners, prices, staff

__all__ = ["catalogue", "network", "partners", "prices", "staff"]
