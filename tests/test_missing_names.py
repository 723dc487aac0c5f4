"""A template that prints a name which nobody gave it breaks its test; the site leaves the word out."""

from __future__ import annotations

import pytest
from django.template import engines
from jinja2 import UndefinedError

from config import settings as site
from config.templates import Templates


def rendered(source: str, **context: object) -> str:
    return engines["templates"].from_string(source).render(context)


@pytest.mark.parametrize(
    "source", ["{{ far }}", "{{ shop.far }}", "{{ far.away }}", "{% for each in far %}{% endfor %}"]
)
def test_a_name_that_is_printed_or_gone_through_must_be_there(source: str) -> None:
    with pytest.raises(UndefinedError):
        rendered(source, shop={})


@pytest.mark.parametrize("source", ["{% if far %}{% endif %}", "{{ far or '' }}", "{% if far == 1 %}{% endif %}"])
def test_a_template_may_ask_whether_a_name_is_there(source: str) -> None:
    assert rendered(source) == ""


def test_the_site_leaves_out_what_is_missing() -> None:
    options = {key: value for key, value in site.TEMPLATES[0].items() if key != "BACKEND"}
    engine = Templates({"NAME": "site", **options})

    assert engine.from_string("<p>{{ far.away }}</p>").render() == "<p></p>"
