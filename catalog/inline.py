"""Style and script that travel inside the page: a first view is one request, and the CSP allows them by their hash."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# Not from the settings, because the settings ask here what the CSP has to allow.
TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True)
class Inline:
    """A text between `<style>` or `<script>` tags, and the source expression that allows it in a CSP."""

    text: str
    csp_source: str


@cache
def inline_style() -> Inline:
    """Return the style sheet of the storefront."""
    return _inline(squeeze_css(_source("style.css")))


@cache
def inline_script(name: str) -> Inline:
    """Return the script in `templates/scripts/<name>.js`."""
    return _inline(_source(f"scripts/{name}.js").strip())


def inline_scripts() -> list[Inline]:
    """Return all scripts, for the CSP."""
    return [inline_script(path.stem) for path in sorted((TEMPLATES / "scripts").glob("*.js"))]


def squeeze_css(css: str) -> str:
    """Take comments and the white space that means nothing out of `css` (which has no strings with such in them)."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return re.sub(r": ", ":", css).replace(";}", "}").strip()


def _inline(text: str) -> Inline:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Inline(text, f"'sha256-{digest}'")


def _source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
