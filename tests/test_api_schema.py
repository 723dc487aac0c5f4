"""The description of the API in `docs/openapi.json` is the one that the code makes."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import api.schema
from api.schema import schema
from orders.basket import MOST_LINES
from tests.api_schema import operations, unknown

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def test_the_description_that_is_kept_is_the_one_of_the_code(pytestconfig: pytest.Config) -> None:
    made = json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"
    if pytestconfig.getoption("--write-docs"):
        FILE.write_text(made, encoding="utf-8")
    assert FILE.read_text(encoding="utf-8") == made, "run script/test tests/test_api_schema.py --write-docs"


def test_the_first_callers_of_a_process_wait_for_one_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.schema._schema", cache(api.schema._schema.__wrapped__))
    with ThreadPoolExecutor(3) as callers:
        made = list(callers.map(lambda _caller: schema(), range(3)))
    assert all(each is made[0] for each in made)


def test_the_description_is_valid_and_leaves_nothing_to_guess(tmp_path: Path) -> None:
    made = tmp_path / "openapi.json"
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json"]
    subprocess.run([*command, "--file", made], cwd=FILE.parent.parent, check=True)
    assert json.loads(made.read_text())["paths"].keys() == schema()["paths"].keys()


def test_every_body_and_answer_has_an_example_that_is_right() -> None:
    components = {"components": schema()["components"]}
    for method, path, told in operations():
        bodies = [("a body", told.get("requestBody", {})), *told["responses"].items()]
        for status, part in bodies:
            for media_type, content in part.get("content", {}).items():
                place = (method, path, status, media_type)
                examples = [each["value"] for each in content.get("examples", {}).values()]
                examples += [content["example"]] if "example" in content else []
                assert examples, place
                for example in examples:
                    Draft202012Validator(content["schema"] | components).validate(example)
                    assert not unknown(example, content["schema"], schema()), place


def test_lists_in_bodies_say_how_long_they_may_be() -> None:
    lines = schema()["components"]["schemas"]["OrderForm"]["properties"]["lines"]
    assert (lines["minItems"], lines["maxItems"]) == (1, MOST_LINES)
    counts = schema()["paths"]["/api/v1/stock-counts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert counts["maxItems"] == 210_000
