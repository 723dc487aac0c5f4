"""
The audit trail, and the triggers that write it.

One function serves all tables. A trigger names the column that a row is known by, the columns whose values are secret,
and those whose changes are nobody's doing: copies, moments, what the worker notes.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

NOTE_CHANGE = """
    CREATE FUNCTION office_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _actor text := coalesce(nullif(current_setting('cunpu.actor', true), ''), 'system:database');
        _name text := TG_ARGV[0];
        _secret text[] := string_to_array(TG_ARGV[1], ' ');
        _ignored text[] := string_to_array(TG_ARGV[2], ' ');
        _before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
        _after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
        _row jsonb := _before || _after;
        _changes jsonb;
    BEGIN
        -- Tens of thousands of made-up places tell nobody anything.
        IF _actor = 'system:sample' THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(each.key, CASE WHEN each.key = ANY (_secret) THEN '["***", "***"]'
            ELSE jsonb_build_array(_before -> each.key, _after -> each.key) END)
        INTO _changes FROM jsonb_object_keys(_row) AS each (key)
        WHERE coalesce(_before -> each.key, 'null') <> coalesce(_after -> each.key, 'null')
            AND each.key <> ALL (_ignored);
        IF _changes IS NOT NULL THEN
            INSERT INTO office_trailentry (actor, deed, thing, key, name, changes)
            VALUES (_actor, lower(TG_OP), TG_TABLE_NAME, coalesce(_row ->> 'id', _row ->> 'code'),
                left(coalesce(_row ->> _name, ''), 160), _changes);
        END IF;
        RETURN NULL;
    END $$;
"""

# Table, what its rows are known by, what is secret, what is nobody's doing.
TABLES = [
    ("catalog_brand", "slug", "", ""),
    ("catalog_tier", "slug", "", ""),
    ("catalog_phone", "slug", "", ""),
    ("catalog_colour", "phone_id", "", ""),
    ("catalog_preinstalledapp", "phone_id", "", ""),
    ("stores_region", "code", "", "outlet_count"),
    ("stores_outlet", "code", "", "position trades county_code call_first"),
    ("stores_timetable", "slug", "", ""),
    ("stores_timetablehours", "timetable_id", "", ""),
    ("stores_closedperiod", "outlet_id", "", ""),
    ("stores_person", "username", "password mobile", "last_login created_at"),
    ("stores_assignment", "person_id", "", ""),
    ("partners_partner", "name", "", "created_at"),
    ("partners_apikey", "prefix", "secret_hash", "created_at last_used_at"),
    ("office_membership", "person_id", "", "since"),
]


def watch(table: str, name: str, secret: str, ignored: str) -> str:
    return f"""
        CREATE TRIGGER {table}_leaves_a_trail AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW
            EXECUTE FUNCTION office_note_change('{name}', '{secret}', '{ignored}');
    """


GUARD = """
    CREATE TRIGGER trail_is_not_changed BEFORE UPDATE OR DELETE ON office_trailentry FOR EACH ROW
        EXECUTE FUNCTION stores_refuse();
    CREATE TRIGGER trail_is_not_truncated BEFORE TRUNCATE ON office_trailentry FOR EACH STATEMENT
        EXECUTE FUNCTION stores_refuse();
"""
NO_GUARD = """
    DROP TRIGGER trail_is_not_changed ON office_trailentry;
    DROP TRIGGER trail_is_not_truncated ON office_trailentry;
"""
WATCH = "".join(watch(*table) for table in TABLES)
DO_NOT_WATCH = "".join(f"DROP TRIGGER {table}_leaves_a_trail ON {table};" for table, *_ in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("office", "0001_memberships"),
        ("catalog", "0002_version_and_provenance"),
        ("partners", "0001_partners_and_their_keys"),
        ("stores", "0021_silent_outlets"),
    ]

    operations = [
        migrations.CreateModel(
            name="TrailEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("happened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("actor", models.CharField(max_length=60)),
                (
                    "deed",
                    models.CharField(
                        choices=[
                            ("insert", "added"),
                            ("update", "changed"),
                            ("delete", "removed"),
                            ("shown", "had personal data shown"),
                            ("exported", "exported a list"),
                            ("imported", "imported a file"),
                            ("retried", "had a failed job tried again"),
                        ],
                        max_length=8,
                    ),
                ),
                ("thing", models.CharField(max_length=63)),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(blank=True, max_length=160)),
                ("changes", models.JSONField()),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["thing", "key", "-id"], name="trail_of_a_row"),
                    models.Index(fields=["name", "-id"], name="trail_of_a_name"),
                    models.Index(fields=["actor", "-id"], name="trail_of_an_actor"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("actor__regex", "^(person|partner|customer|system):.+$")),
                        name="trail_says_who",
                    )
                ],
            },
        ),
        migrations.RunSQL(NOTE_CHANGE, "DROP FUNCTION office_note_change();"),
        migrations.RunSQL(GUARD, NO_GUARD),
        migrations.RunSQL(WATCH, DO_NOT_WATCH),
    ]
