"""
The template engine: Jinja2, with Django's translations and with what the apps offer to templates.

A text of a template is the same for everybody who reads one language, and so are the addresses of the site's pages in
one language and text size. So each template is compiled once for each, with texts, addresses, the frame that it fills
and the templates that it includes in place; looking them up anew for every page took half of the time that its template
took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Any

from django.template.backends.jinja2 import Jinja2
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import translation
from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from catalog import page_data, price_words, templating
from office import navigation
from orders import numbers, pickup_codes
from orders.addresses import address_of
from stores import linked_data
from stores.desk_keys import key_field
from stores.durations import duration_in_words, moment_in_words

# What a text leaves open, and a per cent sign, as `{% trans %}` writes them.
OPEN = re.compile(r"%\((\w+)\)s|(%%)")


class Templates(Jinja2):
    """The engine for settings.TEMPLATES: an environment for each language and text size, chosen by the active ones."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._environments: dict[tuple[str | None, str], Environment] = {}
        super().__init__(params)

    @property
    def env(self) -> Environment:
        # The size is in the prefix of all addresses, see `config.addresses`.
        key = translation.get_language(), get_script_prefix()
        return self._environments.get(key) or self._environments.setdefault(key, self._first.overlay())

    @env.setter
    def env(self, environment: Environment) -> None:
        self._first = environment


class SettledEnvironment(Environment):
    """An environment that settles, when it compiles a template, what will not change: see `Settled`."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        # One dictionary: each page copies it, and a chain of several is slow to walk.
        return {**self.globals, **(d or {})}

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        return super()._generate(Settled(self).visit(source), *args, **options)


class Settled(NodeTransformer):
    """Puts texts, addresses and templates where a template asks for them, but for texts that depend on a number."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        # What a page fills the blocks of its frame with; None in a template that has none.
        self.blocks: dict[str, nodes.Block] | None = None

    def visit_Template(self, node: nodes.Template) -> nodes.Node:  # noqa: N802 - named by the visitor
        own: list[nodes.Node] = []
        while frame := next((self._named_by(part) for part in node.body if isinstance(part, nodes.Extends)), None):
            # A frame may have a frame of its own, of which it fills what the page leaves.
            self.blocks = {block.name: block for block in node.find_all(nodes.Block)} | (self.blocks or {})
            # Beside its blocks a page has what it imports and sets for them; the rest is space between.
            added = [part for part in node.body if not isinstance(part, nodes.Extends | nodes.Block | nodes.Output)]
            own, node = [*added, *own], frame
        return self.generic_visit(nodes.Template([*own, *node.body], lineno=1))

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802
        if self.blocks is None:
            return self.generic_visit(node)
        return self.generic_visit(nodes.Scope(self.blocks.get(node.name, node).body, lineno=node.lineno))

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802
        included = self._named_by(node)
        return nodes.Scope(self.visit(included).body, lineno=node.lineno) if included else node

    def _named_by(self, node: nodes.Extends | nodes.Include) -> nodes.Template | None:
        """Return the template that another extends or includes; None where only the page can tell which it is."""
        # Where templates are edited, each must be looked at by itself to notice that it changed.
        if self.environment.auto_reload or not isinstance(node.template, nodes.Const):
            return None
        name, loader = node.template.value, self.environment.loader
        source, filename, _is_fresh = loader.get_source(self.environment, name)  # type: ignore[union-attr]
        return self.environment._parse(source, name, filename)

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802 - named by the visitor
        self.generic_visit(node)
        parts = [part for child in node.nodes for part in self._in_place(child)]
        return nodes.Output(parts, lineno=node.lineno)

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        name, arguments = _called_with_constants(node)
        if name in templating.SETTLED and not node.kwargs:
            return nodes.TemplateData(str(escape(templating.SETTLED[name](*arguments))), lineno=node.lineno)
        text = None if node.kwargs else _text(node)
        return node if text is None else nodes.TemplateData(text.replace("%%", "%"), lineno=node.lineno)

    def _in_place(self, child: nodes.Expr) -> Iterator[nodes.Expr]:
        """Yield a text with values as its words and its values in turn; the values are escaped like any others."""
        text = _text(child)
        if text is None or not isinstance(child, nodes.Call):
            yield child
            return
        values = {pair.key: pair.value for pair in child.kwargs}
        end = 0
        for hole in OPEN.finditer(text):
            yield nodes.TemplateData(text[end : hole.start()], lineno=child.lineno)
            yield values[hole[1]] if hole[1] else nodes.TemplateData("%", lineno=child.lineno)
            end = hole.end()
        yield nodes.TemplateData(text[end:], lineno=child.lineno)


def _text(node: nodes.Expr) -> str | None:
    """Return the text that a call of gettext or pgettext with constants asks for, None for anything else."""
    match _called_with_constants(node):
        case "_" | "gettext", [message]:
            return translation.gettext(message)
        case "pgettext", [context, message]:
            return translation.pgettext(context, message)
    return None


def _called_with_constants(node: nodes.Expr) -> tuple[str, list[Any]]:
    """Return which function is called and with what, if it has a name and every argument is a constant; else "", []."""
    if not isinstance(node, nodes.Call) or not isinstance(node.node, nodes.Name):
        return "", []
    arguments = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    return (node.node.name, arguments) if len(arguments) == len(node.args) else ("", [])


def environment(**options: Any) -> Environment:
    """Return the environment that renders `templates/`."""
    # Django switches autoescape on.
    jinja = SettledEnvironment(extensions=["jinja2.ext.i18n"], **options)
    jinja.install_gettext_callables(  # type: ignore[attr-defined]
        translation.gettext,
        translation.ngettext,
        newstyle=True,
        pgettext=translation.pgettext,
        npgettext=translation.npgettext,
    )
    jinja.globals |= templating.FUNCTIONS | page_data.FUNCTIONS | linked_data.FUNCTIONS | navigation.FUNCTIONS
    jinja.globals["static"] = static
    jinja.globals["key_field"] = key_field
    jinja.globals["order_address"] = address_of
    jinja.filters |= (
        templating.FILTERS
        | price_words.FILTERS
        | {
            "spoken": numbers.spoken,
            "in_threes": pickup_codes.in_threes,
            "duration": duration_in_words,
            "moment": moment_in_words,
        }
    )
    return jinja
