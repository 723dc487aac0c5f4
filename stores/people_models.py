"""Who works at the outlets: people who sign in, and where each of them works as what, from when until when."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from stores.actors import actor

MOBILE_LENGTH = 14  # +86 and eleven digits


class PersonManager(BaseUserManager["Person"]):
    def known_as(self, username: str, mobile: str | None) -> Person | None:
        """Return the person of this username, or of this mobile number (E.164) where one is given."""
        by_mobile = Q(mobile=mobile) if mobile else Q(pk__in=[])
        return self.filter(Q(username=username) | by_mobile).first()


class Person(AbstractBaseUser):
    """Somebody who signs in. Never deleted, because the books name them (`actor`); switched off instead."""

    username = models.CharField(max_length=40, unique=True)
    mobile = models.CharField(max_length=MOBILE_LENGTH, unique=True, null=True, blank=True)
    name = models.CharField(max_length=30)
    is_active = models.BooleanField(default=True)
    # Whoever gave the password knows it, so it lets its owner do nothing but choose another.
    must_change_password = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"

    objects = PersonManager()

    class Meta:
        ordering = ["username"]
        constraints = [
            # Not digits alone, so that no name can be taken for somebody's mobile number.
            models.CheckConstraint(
                condition=Q(username__regex=r"^\S{2,40}$", username=Lower("username"))
                & ~Q(username__regex=r"^[+0-9-]+$"),
                name="person_username_is_a_plain_word",
            ),
            models.CheckConstraint(
                condition=Q(mobile__isnull=True) | Q(mobile__regex=r"^\+861[0-9]{10}$"),
                name="person_mobile_is_well_formed",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="person_has_a_name"),
            models.CheckConstraint(condition=~Q(password=""), name="person_has_a_password"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """How ledger and histories name this person."""
        return actor("person", self.pk)


class Role(models.TextChoices):
    """What somebody is at an outlet."""

    CLERK = "clerk", _("clerk")
    MANAGER = "manager", _("manager")
    REGION_MANAGER = "region_manager", _("region manager")


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def on(self, day: date) -> AssignmentQuerySet:
        """Keep those that hold on `day`; the first and the last day count."""
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class Days(Func):
    """The days from a first to a last one, both included; no last one: without end."""

    function = "DATERANGE"
    output_field = DateRangeField()


def _once(place: str, name: str) -> Any:
    """Let nobody be assigned to one place twice on one day, whatever the roles: which of them would count?"""
    days = Days("starts_on", "ends_on", RangeBoundary(inclusive_lower=True, inclusive_upper=True))
    return ExclusionConstraint(
        name=name,
        expressions=[("person", RangeOperators.EQUAL), (place, RangeOperators.EQUAL), (days, RangeOperators.OVERLAPS)],
        condition=Q(**{f"{place}__isnull": False}),
    )


class Assignment(models.Model):
    """
    Somebody works at one outlet as clerk or manager, or answers for all outlets of a region as its manager.

    `starts_on` and `ends_on` are days in Asia/Shanghai, both included; without an end it holds until further notice.
    """

    person = models.ForeignKey(Person, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=14, choices=Role)
    outlet = models.ForeignKey("stores.Outlet", models.PROTECT, null=True, blank=True, related_name="assignments")
    region = models.ForeignKey("stores.Region", models.PROTECT, null=True, blank=True, related_name="assignments")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["person", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(role__in=["clerk", "manager"], outlet__isnull=False, region__isnull=True)
                | Q(role="region_manager", outlet__isnull=True, region__isnull=False),
                name="assignment_place_suits_its_role",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="assignment_ends_after_it_starts",
            ),
            _once("outlet", "assignment_once_at_an_outlet"),
            _once("region", "assignment_once_in_a_region"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.outlet_id or self.region_id}"
