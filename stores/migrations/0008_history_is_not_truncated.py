"""Refuse TRUNCATE of everything that tells what happened, and let each refusal name its rule."""

from django.db import migrations

TABLES = ["stocklevel", "handset", "handsetnumber", "handsetevent", "shortfall", "transfer", "transferline"]

LEVEL_TRIGGERS = """
    CREATE TRIGGER stocklevel_moves_forward BEFORE UPDATE ON stores_stocklevel FOR EACH ROW
        WHEN (NEW.seq NOT IN (OLD.seq, OLD.seq + 1) OR NEW.seq = OLD.seq AND NEW.moved_at <> OLD.moved_at
              OR NEW.moved_at < OLD.moved_at
              OR OLD.counted_at IS NOT NULL AND (NEW.counted_at IS NULL OR NEW.counted_at < OLD.counted_at))
        EXECUTE FUNCTION {refuse}();
    CREATE TRIGGER stocklevel_is_not_deleted BEFORE DELETE ON stores_stocklevel FOR EACH ROW
        EXECUTE FUNCTION {refuse}();
"""
NO_LEVEL_TRIGGERS = """
    DROP TRIGGER stocklevel_moves_forward ON stores_stocklevel;
    DROP TRIGGER stocklevel_is_not_deleted ON stores_stocklevel;
"""

NAMED = """
    CREATE OR REPLACE FUNCTION stores_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '%: % of % refused', TG_NAME, TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END $$;
"""
OLD_GUARD = """
    CREATE FUNCTION stores_stocklevel_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'a stock level moves forward, line by line: % refused', TG_OP;
    END $$;
"""

NOT_TRUNCATED = "".join(
    f"""
    CREATE TRIGGER {table}_is_not_truncated BEFORE TRUNCATE ON stores_{table}
        FOR EACH STATEMENT EXECUTE FUNCTION stores_refuse();
    """
    for table in TABLES
)
TRUNCATED = "".join(f"DROP TRIGGER {table}_is_not_truncated ON stores_{table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("stores", "0007_handset_chain")]
    operations = [
        migrations.RunSQL(NAMED, migrations.RunSQL.noop),
        migrations.RunSQL(
            NO_LEVEL_TRIGGERS
            + LEVEL_TRIGGERS.format(refuse="stores_refuse")
            + "DROP FUNCTION stores_stocklevel_guard();",
            NO_LEVEL_TRIGGERS + OLD_GUARD + LEVEL_TRIGGERS.format(refuse="stores_stocklevel_guard"),
        ),
        migrations.RunSQL(NOT_TRUNCATED, TRUNCATED),
    ]
