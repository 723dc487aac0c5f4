"""
Write events of phones, whoever changes them: load commands, head office, SQL.

A phone is told once a transaction, whatever of it was written. Prices are told by `catalog.price_events`.
"""

from django.db import migrations

TELL_PHONES = """
    CREATE FUNCTION catalog_tell_phones(_type text, _phones bigint[]) RETURNS void LANGUAGE sql AS $$
        INSERT INTO events_event (type, phone_id, data)
        SELECT _type, p.id, '{}' FROM catalog_phone p
        WHERE p.id = ANY (_phones) AND NOT EXISTS (
            SELECT FROM events_event e
            WHERE e.xid = pg_current_xact_id() AND e.phone_id = p.id AND e.type IN ('phone.added', 'phone.changed')
        )
        ORDER BY p.id
    $$;
    CREATE FUNCTION catalog_tell_phone_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            PERFORM catalog_tell_phones('phone.added', ARRAY(SELECT id FROM new_rows));
        ELSE
            PERFORM catalog_tell_phones('phone.changed', ARRAY(
                SELECT n.id FROM new_rows n JOIN old_rows b USING (id) WHERE n IS DISTINCT FROM b));
        END IF;
        RETURN NULL;
    END $$;
    CREATE FUNCTION catalog_tell_part_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _phones bigint[] := '{}';
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            _phones := _phones || ARRAY(SELECT phone_id FROM old_rows);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            _phones := _phones || ARRAY(SELECT phone_id FROM new_rows);
        END IF;
        PERFORM catalog_tell_phones('phone.changed', _phones);
        RETURN NULL;
    END $$;
    CREATE FUNCTION catalog_tell_family_rows() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        _changed bigint[] := ARRAY(SELECT n.id FROM new_rows n JOIN old_rows b USING (id) WHERE n IS DISTINCT FROM b);
    BEGIN
        PERFORM catalog_tell_phones('phone.changed', ARRAY(
            SELECT id FROM catalog_phone
            WHERE CASE TG_TABLE_NAME WHEN 'catalog_brand' THEN brand_id ELSE tier_id END = ANY (_changed)));
        RETURN NULL;
    END $$;
"""
NO_PHONES = """
    DROP FUNCTION catalog_tell_family_rows();
    DROP FUNCTION catalog_tell_part_rows();
    DROP FUNCTION catalog_tell_phone_rows();
    DROP FUNCTION catalog_tell_phones(text, bigint[]);
"""

ROWS = {"INSERT": "NEW TABLE AS new_rows", "DELETE": "OLD TABLE AS old_rows"}
ROWS["UPDATE"] = " ".join(ROWS.values())
TOLD = {
    "phone": ("catalog_tell_phone_rows", ("INSERT", "UPDATE")),
    "colour": ("catalog_tell_part_rows", tuple(ROWS)),
    "preinstalledapp": ("catalog_tell_part_rows", tuple(ROWS)),
    "brand": ("catalog_tell_family_rows", ("UPDATE",)),
    "tier": ("catalog_tell_family_rows", ("UPDATE",)),
}
TRIGGERS = "".join(
    f"""
    CREATE TRIGGER {table}_is_told_after_{deed.lower()} AFTER {deed} ON catalog_{table}
        REFERENCING {ROWS[deed]} FOR EACH STATEMENT EXECUTE FUNCTION {function}();
    """
    for table, (function, deeds) in TOLD.items()
    for deed in deeds
)
NO_TRIGGERS = "".join(
    f"DROP TRIGGER {table}_is_told_after_{deed.lower()} ON catalog_{table};"
    for table, (_function, deeds) in TOLD.items()
    for deed in deeds
)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_prices_told"), ("events", "0003_types_by_list")]
    operations = [
        migrations.RunSQL(TELL_PHONES, NO_PHONES),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
