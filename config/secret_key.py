"""The demo's own secret, so that nobody has to invent one to look around."""

import os
import secrets
from pathlib import Path

from config.env import WrongSetting


def from_file(path: Path) -> str:
    """Return the secret in `path`, made at the first call and readable by its owner alone."""
    try:
        if not path.exists():
            _create(path)
        return path.read_text().strip()
    except OSError as error:
        raise WrongSetting("SECRET_KEY", f"is not set and {path} cannot be used ({error.strerror})") from error


def _create(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    own = path.with_suffix(f".{os.getpid()}")
    with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        # Whoever links first wins, and nobody ever reads half a secret.
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
