"""Static files are collected, named by content and compressed once, and again only when one of them changed."""

from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect() -> bool:
    """Collect the static files unless that is done; say whether there was anything to do."""
    stamp = settings.BASE_DIR / "var" / "static_files"
    now = _digest()
    if stamp.exists() and stamp.read_text() == now and Path(settings.STATIC_ROOT, "staticfiles.json").exists():
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(now)
    return True


def _digest() -> str:
    digest = sha256()
    for finder in get_finders():
        for name, storage in finder.list(ignore_patterns=None):
            with storage.open(name) as file:
                digest.update(f"{name}:{file.size}:".encode())
                digest.update(file.read())
    return digest.hexdigest()
