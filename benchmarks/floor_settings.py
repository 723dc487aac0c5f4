"""Settings of the floors: a new Django project as `startproject` makes it, on the benchmark's database."""

from config.settings import BASE_DIR as BASE_DIR
from config.settings import DATABASES

DEBUG = False
SECRET_KEY = "floors have no secrets, and nobody else can reach them"  # noqa: S105
ALLOWED_HOSTS = ["*"]
DATABASES["default"] |= {"ENGINE": "django.db.backends.postgresql", "CONN_HEALTH_CHECKS": False}
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "catalog",
    "stores",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "benchmarks.floors"
USE_TZ = True
LANGUAGE_CODE = "en"
