"""
Schemathesis tries every operation that the description names against a running server: what it allows, what it does
not, and one after another. FUZZ_SECONDS is for how long, and FUZZ_SEED what it begins with; see script/fuzz.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.partner_site import fill, key_for_all

SECONDS = int(os.environ.get("FUZZ_SECONDS", "15"))
SEED = os.environ.get("FUZZ_SEED", "11")
CONFIG = Path(__file__).with_name("schemathesis.toml")
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "missing_required_header", "unsupported_method",
    "allow_header_conformance", "ignored_auth", "use_after_free",
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_nothing_that_schemathesis_sends_breaks_the_contract(live_server: Any, tmp_path: Path, settings: Any) -> None:
    # Nobody waits for news.
    settings.EVENT_WAITS = 0
    fill()
    command = [
        Path(sys.executable).parent / "schemathesis", "--config-file", CONFIG, "run",
        f"{live_server.url}/api/v1/schema/", "--url", live_server.url,
        "--header", f"Authorization: Bearer {key_for_all()}",
        "--checks", ",".join(CHECKS), "--mode", "all", "--phases", "coverage,fuzzing,stateful",
        "--max-time", str(SECONDS), "--seed", SEED, "--suppress-health-check", "all", "--no-shrink",
        "--generation-database", "none", "--no-color", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS * 3 + 120)
    # A body may be long; what else was said of it stands before and behind.
    print(*(line[:2_000] for line in done.stdout.splitlines()[-400:]), done.stderr[-2_000:], sep="\n")
    assert done.returncode == 0
