"""The models that head office edits, each with who may and by which rule; importing this registers them."""

from office.back_office import catalogue, network, partners, staff

__all__ = ["catalogue", "network", "partners", "staff"]
