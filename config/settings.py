"""Settings, read from the environment. The README has a table of the variables.

Without DATABASE_URL this is a demo, on the PostgreSQL that the project brings along. With DEMO off these are
production settings: they ask for a secret key and host names, refuse DEBUG and want HTTPS.
"""

from datetime import timedelta
from pathlib import Path

from jinja2 import ChainableUndefined

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
# Other names of the domain are not this program's to promise for. The sign-in page itself says that somebody is locked
# out, so no middleware need. Both the address and the name are counted. What the admin misses is in `StaffDoor`, and
# the guard against forged forms in `config.methods`.
SILENCED_SYSTEM_CHECKS = [
    "security.W003", "security.W005", "security.W021", "axes.W002", "admin.E408", "admin.E409", "admin.E410",
]  # fmt: skip
TRUSTED_PROXY = env.flag("TRUSTED_PROXY", default=False)
if TRUSTED_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    # Without the admin pages that other apps bring along: head office has a site of its own.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "config",
    "django_q",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "events",
    "api",
    "catalog",
    "stores",
    "orders",
    "partners",
    "office",
]

MIDDLEWARE = [
    # Whether it runs, before anything can refuse the question; the two that all other answers need, then the doors of
    # programs, then the ready pages, then what it takes to make one.
    "config.health.Health",
    "config.compression.Compression",
    "config.conditional.ConditionalGet",
    "config.programs.Programs",
    "config.ready.ReadyPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.policy.ContentPolicy",
    "config.addresses.address_middleware",
    "config.staff.StaffDoor",
    "django.middleware.common.CommonMiddleware",
    "config.methods.MethodsAndForms",
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

# Staff sign in at the desk; `config.staff` keeps sessions and people away from all other pages.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
AUTH_USER_MODEL = "stores.Person"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
] + [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "mobile", "name"]},
    }
]
LOGIN_URL = "desk:sign_in"
LOGIN_REDIRECT_URL = "order_desk:home"

# A session ends when nothing was done for so long, and in any case so long after signing in.
DESK_IDLE_MINUTES = env.number("DESK_IDLE_MINUTES", 120, least=5, most=1440)
DESK_SESSION_HOURS = env.number("DESK_SESSION_HOURS", 12, least=1, most=168)
# By so many a clerk may correct a shelf in a day; more takes a manager.
DESK_ADJUST_LIMIT = env.number("DESK_ADJUST_LIMIT", 2, least=0, most=1000)
SESSION_COOKIE_NAME = "desk"
SESSION_COOKIE_AGE = DESK_IDLE_MINUTES * 60

# Wrong passwords for one name from one address, counted in the database. `stores.desk_sign_in` counts other ways.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "api.limits.address_of"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Cunpu"

# Whatever goes wrong is said on the terminal, without any customer's name or number.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "scrubbed": {"()": "config.logs.ScrubbedFormatter", "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
    },
    "handlers": {"terminal": {"class": "logging.StreamHandler", "formatter": "scrubbed"}},
    "root": {"handlers": ["terminal"], "level": "WARNING"},
    "loggers": {
        # Django's own handlers would write errors to whoever is in ADMINS, and nothing here.
        "django": {"handlers": [], "level": "INFO"},
        # A page that is not there is the visitor's matter.
        "django.request": {"level": "ERROR"},
        "django-q": {"handlers": ["terminal"], "level": "WARNING", "propagate": False},
    },
}
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.logs.NoCustomers"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "config.templates.Templates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "config.templates.environment",
            # A page without one of its words is better than no page. The tests take no such page, see tests.settings.
            "undefined": ChainableUndefined,
            "context_processors": ["stores.context.my_outlet", "stores.context.country"],
        },
    },
    # For the pages of Django's admin alone, which are not Jinja2.
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "office" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
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
# Pages name files by their content; compressing them once more under their own names would double the work.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# How long an order is kept, in hours: until the outlet should have set it aside, until it expires when it did not
# or did, how much longer a customer can ask for once, and how long before the end a reminder goes out.
SET_ASIDE_HOURS = env.number("SET_ASIDE_HOURS", 24, least=1, most=240)
HOLD_HOURS_PLACED = env.number("HOLD_HOURS_PLACED", 48, least=2, most=720)
HOLD_HOURS_CALL_FIRST = env.number("HOLD_HOURS_CALL_FIRST", max(96, HOLD_HOURS_PLACED), least=2, most=720)
HOLD_HOURS_READY = env.number("HOLD_HOURS_READY", 72, least=2, most=720)
HOLD_HOURS_EXTENSION = env.number("HOLD_HOURS_EXTENSION", 48, least=1, most=720)
REMINDER_HOURS = env.number("REMINDER_HOURS", 12, least=1, most=240)
if min(HOLD_HOURS_PLACED, HOLD_HOURS_READY) <= REMINDER_HOURS:
    raise env.WrongSetting("REMINDER_HOURS", "must be less than HOLD_HOURS_PLACED and HOLD_HOURS_READY")

if HOLD_HOURS_CALL_FIRST < HOLD_HOURS_PLACED:
    raise env.WrongSetting("HOLD_HOURS_CALL_FIRST", "must not be less than HOLD_HOURS_PLACED")

# After so many opening hours without a clerk at its desk, an outlet counts as silent: customers shall call first.
DESK_SILENT_HOURS = env.number("DESK_SILENT_HOURS", 16, least=1, most=200)

# What one mobile number may have on order at a time.
MAX_OPEN_ORDERS = env.number("MAX_OPEN_ORDERS", 3, least=1, most=100)
MAX_UNITS_OF_A_PHONE = env.number("MAX_UNITS_OF_A_PHONE", 2, least=1, most=99)

# Days after an order's end until name and mobile number are erased.
RETENTION_DAYS = env.number("RETENTION_DAYS", 180, least=1, most=3650)

# Days for which the change feed keeps what happened.
EVENT_DAYS = env.number("EVENT_DAYS", 30, least=4, most=3650)
# The key of the webhooks' secrets, which change with it. Into private networks they go for trying things out alone.
WEBHOOK_KEY = env.text("WEBHOOK_KEY") or f"webhooks of {SECRET_KEY}"
WEBHOOKS_PRIVATE = env.flag("WEBHOOKS_PRIVATE", default=False)
if WEBHOOKS_PRIVATE and not DEMO:
    raise env.WrongSetting("WEBHOOKS_PRIVATE", "must be no unless DEMO is yes: partners could reach inner networks")
# How many readers of the feed each web process lets wait for news at a time: each keeps one of its threads.
EVENT_WAITS = env.number("EVENT_WAITS", 1, least=0, most=1000)

# The key of the pickup codes. It must outlive the open orders: codes change with it.
PICKUP_KEY = env.text("PICKUP_KEY") or f"pickup codes of {SECRET_KEY}"

# Where the pages are, for links in messages.
SITE_URL = env.text(
    "SITE_URL", f"http://localhost:{env.text('PORT', '8000')}" if DEMO else f"https://{ALLOWED_HOSTS[0]}"
).rstrip("/")

# The file shows messages whole, so it is for the demo alone; the console masks them.
SMS_BACKENDS = ["aliyun", "console", *(["file"] if DEMO else [])]
SMS_BACKEND = env.choice("SMS_BACKEND", "file" if DEMO else "", among=SMS_BACKENDS)
SMS_FILE = BASE_DIR / "var" / "messages.jsonl"
SMS_SIGNATURE = env.text("SMS_SIGNATURE", "村铺")
SMS_ATTEMPTS = env.number("SMS_ATTEMPTS", 12, least=1, most=20)
ALIYUN_ACCESS_KEY_ID = env.text("ALIYUN_ACCESS_KEY_ID")
ALIYUN_ACCESS_KEY_SECRET = env.text("ALIYUN_ACCESS_KEY_SECRET")
if SMS_BACKEND == "aliyun" and not (ALIYUN_ACCESS_KEY_ID and ALIYUN_ACCESS_KEY_SECRET):
    raise env.WrongSetting("ALIYUN_ACCESS_KEY_ID", "and ALIYUN_ACCESS_KEY_SECRET must be set for SMS_BACKEND=aliyun")
ALIYUN_SMS_ENDPOINT = env.text("ALIYUN_SMS_ENDPOINT", "dysmsapi.aliyuncs.com")
# The gateway sends registered templates only: "placed.zh-hans=SMS_1,placed.en=SMS_2,..."
ALIYUN_SMS_TEMPLATES = env.pairs("ALIYUN_SMS_TEMPLATES")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["partners.keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_THROTTLE_CLASSES": ["api.calls.CallLimit"],
    "DEFAULT_RENDERER_CLASSES": ["api.rendering.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "api.rendering.OneFormat",
    "DEFAULT_PARSER_CLASSES": ["api.parsers.JsonParser"],
    "DEFAULT_FILTER_BACKENDS": ["api.parameters.ReadFilters"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.DoorSchema",
    "EXCEPTION_HANDLER": "api.problems.exception_handler",
    # A format is asked for by the Accept header alone.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Cunpu",
    "DESCRIPTION": "A retailer that sells smartphones to rural China through outlets of its own: read catalogue, "
    "outlets and stock, place orders, send counts, and learn of every change. `/api/v1/docs/` tells how.",
    # What the addresses have, and nothing beside it.
    "VERSION": "",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "OutletState": "stores.models.Outlet.State",
        "OrderState": "orders.states.State",
        "WebhookState": "partners.webhook_models.Webhook.State",
        "DeliveryState": "partners.webhook_models.Delivery.State",
    },
    "WEBHOOKS": ["partners.event_resources.EVENT_WEBHOOK"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "api.schema.complete"],
}

Q_CLUSTER = {
    "name": "cunpu",
    "orm": "default",
    "workers": env.number("JOBS", 1, least=1, most=32),
    "timeout": 300,
    "retry": 360,
    "max_attempts": 5,
    "catch_up": False,
    "poll": 0.5,
    "guard_cycle": 0.5,
    "save_limit": 100,
    "log_level": "WARNING",
}
