"""The files of the repository, as a fresh clone would have them."""

import subprocess
from pathlib import Path

from django.conf import settings


def files() -> list[str]:
    """Return the names of all files that are checked in or about to be, from the top of the repository."""
    names = subprocess.run(
        # Whoever runs the tests may not be who made the clone.
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [name for name in names.split("\0") if name and Path(settings.BASE_DIR, name).exists()]
