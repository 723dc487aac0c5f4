"""What must be true of the repository and its environment as a whole."""

import re
import tomllib
from pathlib import Path

import pytest
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import is_psycopg3

from tests import checkout

BASE: Path = settings.BASE_DIR
LOCKS = ["requirements-installer.txt", "requirements.txt", "requirements-dev.txt"]
# Places on one machine, and the usual hosts of package indexes.
OTHERS_BUSINESS = re.compile(
    r"(^|[^\w.])/(work|farm|root|home/[a-z]+)/|files\.python"
    + r"hosted\.org|py"
    + r"pi\.org/simple|extra-index"
    + "-url"
)


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)==(\S+)", (BASE / lock).read_text()))


def wanted(names: list[str]) -> dict[str, str]:
    """Return the pins of pyproject.toml by the normalised name, without extras."""
    parts = (re.fullmatch(r"([\w.-]+)(?:\[.*\])?==(\S+)", name) for name in names)
    return {re.sub(r"[-_.]+", "-", part[1]).lower(): part[2] for part in parts if part}


def test_psycopg_3_has_not_taken_over():
    # Django prefers it as soon as anything installs it.
    assert is_psycopg3 is False


def test_the_locks_hold_what_pyproject_asks_for():
    project = tomllib.loads((BASE / "pyproject.toml").read_text())
    runtime, development = pins("requirements.txt"), pins("requirements-dev.txt")

    assert wanted(project["project"]["dependencies"]).items() <= runtime.items()
    assert wanted(project["dependency-groups"]["dev"]).items() <= development.items()
    assert runtime.items() <= development.items()
    assert len(wanted(project["dependency-groups"]["dev"])) == len(project["dependency-groups"]["dev"])


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str):
    text = (BASE / lock).read_text()

    assert all("--hash=sha256:" in entry for entry in re.split(r"(?m)^(?=[a-z0-9])", text)[1:])


def test_the_readme_has_every_variable():
    code = "".join(path.read_text() for path in (BASE / "config").rglob("*.py"))
    variables = set(re.findall(r"""env\.[a-z]+\(\s*"([A-Z_]+)""", code))

    assert {"DATABASE_URL", "PORT"} < variables
    assert [name for name in sorted(variables) if f"`{name}`" not in (BASE / "README.md").read_text()] == []


def test_no_file_names_an_index_host_or_a_place_on_one_machine():
    found = []
    for name in checkout.files():
        try:
            lines = (BASE / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{name}:{at}" for at, line in enumerate(lines, 1) if OTHERS_BUSINESS.search(line)]

    assert found == []
