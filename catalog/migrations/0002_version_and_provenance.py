"""What the catalogue tables promise beyond what Django's constraints can say."""

from django.db import migrations

TABLES = ["brand", "tier", "phone", "colour", "preinstalledapp"]

# The number comes from a sequence, so it never goes back, even when the row is emptied away.
VERSION_FUNCTION = """
    CREATE SEQUENCE catalog_version_seq;
    CREATE FUNCTION catalog_raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalog_catalogueversion (id, number) VALUES (1, nextval('catalog_version_seq'))
        ON CONFLICT (id) DO UPDATE SET number = excluded.number;
        RETURN NULL;
    END $$;
"""

# One statement-level trigger a table; TRUNCATE is a change, too.
VERSION_TRIGGERS = "".join(
    f"""
    CREATE TRIGGER catalog_{table}_raises_version
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON catalog_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_raise_version();
    """
    for table in TABLES
)

# Every mark is one of the two words. (jsonpath is immutable, so a check may use it.)
PROVENANCE_CHECK = """
    ALTER TABLE catalog_phone ADD CONSTRAINT phone_provenance_is_known CHECK (
        jsonb_typeof(provenance) = 'object'
        AND NOT jsonb_path_exists(provenance, '$.* ? (@ != "reported" && @ != "illustrative")')
    );
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_phones_brands_and_tiers")]
    operations = [
        migrations.RunSQL(
            VERSION_FUNCTION,
            "DROP FUNCTION catalog_raise_version(); DROP SEQUENCE catalog_version_seq;",
        ),
        migrations.RunSQL(
            VERSION_TRIGGERS,
            "".join(f"DROP TRIGGER catalog_{table}_raises_version ON catalog_{table};" for table in TABLES),
        ),
        migrations.RunSQL(PROVENANCE_CHECK, "ALTER TABLE catalog_phone DROP CONSTRAINT phone_provenance_is_known;"),
    ]
