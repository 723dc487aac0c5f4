"""The engine for settings.DATABASES: Django's for PostgreSQL, which asks less often whether it is still there."""
