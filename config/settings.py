"""Settings, read from the environment. The README has a table of the variables.

Without DATABASE_URL this is a demo, on the PostgreSQL that the project brings along. With DEMO off these are
production settings: they ask for a secret key and host names, refuse DEBUG and want HTTPS.
"""

from pathlib import Path

from catalog import inline
from config import env, postgres, secret_key

BASE_DIR = Path(__file__).resolve().parent.parent

DATABASE = env.database("DATABASE_URL")
DATABASES = {
    "default": {
        "CONN_MAX_AGE": int(env.CONNECTION_SECONDS),
        # A database that was started anew must not cost a visitor an error page.
        "CONN_HEALTH_CHECKS": True,
        **(DATABASE or postgres.settings()),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DEMO = env.flag("DEMO", default=DATABASE is None)

DEBUG = env.flag("DEBUG", default=False)
if DEBUG and not DEMO:
    raise env.WrongSetting("DEBUG", "must be no unless DEMO is yes: error pages would show secrets to everyone")

SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY and DEMO:
    SECRET_KEY = secret_key.from_file(BASE_DIR / "var" / "secret_key")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10:
    raise env.WrongSetting("SECRET_KEY", "must be set to at least 50 random characters, unless DEMO is yes")

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "*" if DEMO else "")
if not DEMO and (not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS):
    raise env.WrongSetting("ALLOWED_HOSTS", "must name the hosts of the site, separated by commas, unless DEMO is yes")

HTTPS = env.flag("HTTPS", default=not DEMO)
SECURE_SSL_REDIRECT = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Other names of the domain are not this program's to promise for.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
TRUSTED_PROXY = env.flag("TRUSTED_PROXY", default=False)
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "config",
    "api",
    "catalog",
    "stores",
]

MIDDLEWARE = [
    # The two that a ready page still needs, then the ready pages, then what it takes to make one.
    "django_http_compression.middleware.HttpCompressionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "config.ready.ReadyPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.policy.permissions_middleware",
    "config.addresses.address_middleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Style and scripts travel inside the pages and run by their hash: with a nonce no page could be kept.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": [inline.inline_style().csp_source],
        "script-src": [script.csp_source for script in inline.inline_scripts()] or ["'none'"],
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "config.errors.forbidden"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "stores.context.my_outlet",
                "stores.context.country",
            ]
        },
    }
]

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
