"""The description of the API in `docs/openapi.json` is the one that the code makes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api.schema import schema

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def test_the_description_that_is_kept_is_the_one_of_the_code(pytestconfig: pytest.Config) -> None:
    made = json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
    if pytestconfig.getoption("--write-docs"):
        FILE.write_text(made, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == made, "run script/test tests/test_api_schema.py --write-docs"


def test_the_description_is_valid_and_leaves_nothing_to_guess(tmp_path: Path) -> None:
    made = tmp_path / "openapi.json"
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json"]
    subprocess.run([*command, "--file", made], cwd=FILE.parent.parent, check=True)
    assert json.loads(made.read_text())["paths"].keys() == schema()["paths"].keys()
