"""The catalogue of translations follows the texts in code and templates."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config import translations

TEMPLATE = """
  <p title="it's">{{ _("Hello 'you'") }}</p>
      {% trans a=b %}One {{ a }} day{% endtrans %}
   {% trans trimmed n=n %}
      {{ n }} phone
   {% pluralize %}
      {{ n }} phones
   {% endtrans %}
(( {{ x|default(_("none")) }} {% if a == "it" %}'''"{% endif %} {# Translators: a button #}
{{ _("Go") }}
"""
CODE = """
from django.utils.translation import gettext as _, ngettext
def say(n):
    return _("In %(place)s") % {"place": n} + ngettext("one", "%(n)s of them", n)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").touch()
    (tmp_path / "app" / "say.py").write_text(CODE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    (tmp_path / translations.FOLDER).mkdir(parents=True)
    return tmp_path


def translate(project: Path, entries: str) -> translations.Files:
    (project / translations.FOLDER / "django.po").write_text(entries)
    return translations.build(project)


def test_finds_every_kind_of_text(project: Path):
    complaints = translations.build(project).complaints

    texts = ["Hello 'you'", "One %(a)s day", "%(n)s phone", "none", "Go", "In %(place)s", "one"]
    assert complaints == sorted(f"not translated: {text}" for text in texts)


def test_keeps_translations_and_drops_those_no_longer_used(project: Path):
    files = translate(project, 'msgid "Go"\nmsgstr "去"\n\nmsgid "Gone"\nmsgstr "没有了"\n')

    assert "not translated: Go" not in files.complaints
    assert 'msgid "Go"\nmsgstr "去"\n' in files.po.decode()
    assert "Gone" not in files.po.decode()


def test_complains_about_a_text_inside_an_f_string(project: Path):
    (project / "app" / "say.py").write_text(CODE + "    return f\"{_('Hidden')}!\"\n")

    assert "inside an f-string: app/say.py, line 5" in translations.build(project).complaints


def test_counts_a_fuzzy_translation_as_none(project: Path):
    files = translate(project, '#, fuzzy\nmsgid "Go"\nmsgstr "去"\n')

    assert "not translated: Go" in files.complaints


def test_complains_when_a_placeholder_is_lost(project: Path):
    files = translate(project, 'msgid "In %(place)s"\nmsgstr "在里面"\n')

    assert "placeholders differ: In %(place)s" in files.complaints


def test_names_no_line_date_or_path(project: Path):
    po = translations.build(project).po.decode()

    assert "#:" not in po
    assert str(project) not in po
    assert "Date" not in po


def test_every_text_of_the_project_is_translated():
    command = [sys.executable, "manage.py", "messages", "--check"]
    answer = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True)

    assert answer.returncode == 0, answer.stderr
