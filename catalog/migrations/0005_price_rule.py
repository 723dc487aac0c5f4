"""
What a phone costs at a moment, and what was valid once and is not rewritten.

`catalog_price_at` is the rule: the ordinary price that began last, or the lowest price of the windows that are open, if
that is lower. Of windows with the same price the one that ends last counts. `catalog_offers_at` tells of all phones,
and when each will cost something else. Placing an order asks the first (`orders_place_order`), everything else the
second.

Guards look at the clock of the transaction: what began before it is history. A window that has begun can only be ended
earlier than planned, though not in the past.
"""

from django.db import migrations

RULE = """
    CREATE FUNCTION catalog_price_at(_phone smallint, _at timestamptz) RETURNS TABLE (
        price_fen int, ordinary_fen int, provenance varchar, window_id smallint, quota_per_outlet int
    ) LANGUAGE sql STABLE AS $$
        SELECT coalesce(sale.price_fen, ordinary.price_fen), ordinary.price_fen, ordinary.provenance,
               sale.window_id, sale.quota_per_outlet
        FROM (
            SELECT p.price_fen, p.provenance FROM catalog_price p
            WHERE p.phone_id = _phone AND p.valid_from <= _at ORDER BY p.valid_from DESC LIMIT 1
        ) AS ordinary
        LEFT JOIN LATERAL (
            SELECT p.price_fen, p.window_id, p.quota_per_outlet
            FROM catalog_salewindowprice p JOIN catalog_salewindow w ON w.id = p.window_id
            WHERE p.phone_id = _phone AND w.starts_at <= _at AND w.ends_at > _at
                AND p.price_fen < ordinary.price_fen
            ORDER BY p.price_fen, w.ends_at DESC, w.id LIMIT 1
        ) AS sale ON true
    $$;

    CREATE VIEW catalog_price_change AS
        SELECT phone_id, valid_from AS at FROM catalog_price
        UNION ALL
        SELECT p.phone_id, unnest(ARRAY[w.starts_at, w.ends_at])
        FROM catalog_salewindowprice p JOIN catalog_salewindow w ON w.id = p.window_id;

    CREATE FUNCTION catalog_offers_at(_at timestamptz) RETURNS TABLE (
        phone_id smallint, price_fen int, ordinary_fen int, provenance varchar, valid_until timestamptz,
        window_id smallint, quota_per_outlet int
    ) LANGUAGE sql STABLE AS $$
        SELECT phone.id, o.price_fen, o.ordinary_fen, o.provenance, (
                SELECT min(change.at)
                FROM catalog_price_change change CROSS JOIN LATERAL catalog_price_at(phone.id, change.at) later
                WHERE change.phone_id = phone.id AND change.at > _at AND later.price_fen <> o.price_fen
            ), o.window_id, o.quota_per_outlet
        FROM catalog_phone phone CROSS JOIN LATERAL catalog_price_at(phone.id, _at) o
    $$;
"""
NO_RULE = """
    DROP FUNCTION catalog_offers_at(timestamptz);
    DROP VIEW catalog_price_change;
    DROP FUNCTION catalog_price_at(smallint, timestamptz);
"""

GUARDS = """
    CREATE FUNCTION catalog_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what was valid once is not rewritten: % of % refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END $$;

    CREATE TRIGGER price_begins_now_or_later BEFORE INSERT ON catalog_price FOR EACH ROW
        WHEN (NEW.valid_from < now()) EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER price_is_not_rewritten BEFORE UPDATE ON catalog_price FOR EACH ROW
        WHEN (OLD.valid_from < now() OR NEW.valid_from < now()) EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER price_is_kept BEFORE DELETE ON catalog_price FOR EACH ROW
        WHEN (OLD.valid_from < now()) EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER price_is_not_truncated BEFORE TRUNCATE ON catalog_price
        FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();

    CREATE TRIGGER salewindow_begins_now_or_later BEFORE INSERT ON catalog_salewindow FOR EACH ROW
        WHEN (NEW.starts_at < now()) EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER salewindow_is_not_rewritten BEFORE UPDATE ON catalog_salewindow FOR EACH ROW
        WHEN (NEW.starts_at < now() AND OLD.starts_at >= now()
              OR OLD.starts_at < now()
                 AND ((OLD.starts_at, OLD.limit_per_customer) IS DISTINCT FROM (NEW.starts_at, NEW.limit_per_customer)
                      OR NEW.ends_at <> OLD.ends_at AND NOT NEW.ends_at BETWEEN now() AND OLD.ends_at))
        EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER salewindow_is_kept BEFORE DELETE ON catalog_salewindow FOR EACH ROW
        WHEN (OLD.starts_at < now()) EXECUTE FUNCTION catalog_refuse();
    CREATE TRIGGER salewindow_is_not_truncated BEFORE TRUNCATE ON catalog_salewindow
        FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();

    -- A price of a window is as old as its window.
    CREATE FUNCTION catalog_refuse_in_begun_window() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM catalog_salewindow w WHERE w.starts_at < now()
                AND (TG_OP <> 'INSERT' AND w.id = OLD.window_id OR TG_OP <> 'DELETE' AND w.id = NEW.window_id)
        ) THEN
            RAISE EXCEPTION 'the sale window has begun: % of % refused', TG_OP, TG_TABLE_NAME
                USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END $$;
    CREATE TRIGGER salewindowprice_is_settled_when_it_begins BEFORE INSERT OR UPDATE OR DELETE
        ON catalog_salewindowprice FOR EACH ROW EXECUTE FUNCTION catalog_refuse_in_begun_window();
    CREATE TRIGGER salewindowprice_is_not_truncated BEFORE TRUNCATE ON catalog_salewindowprice
        FOR EACH STATEMENT EXECUTE FUNCTION catalog_refuse();

    CREATE FUNCTION catalog_refuse_without_price() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM catalog_phone WHERE id = NEW.id)
           AND NOT EXISTS (SELECT FROM catalog_price p WHERE p.phone_id = NEW.id AND p.valid_from <= now()) THEN
            RAISE EXCEPTION 'phone % has no price', NEW.slug
                USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
        END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER phone_has_a_price AFTER INSERT ON catalog_phone DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION catalog_refuse_without_price();
"""
NO_GUARDS = """
    DROP TRIGGER phone_has_a_price ON catalog_phone;
    DROP FUNCTION catalog_refuse_without_price();
    DROP TRIGGER salewindowprice_is_not_truncated ON catalog_salewindowprice;
    DROP TRIGGER salewindowprice_is_settled_when_it_begins ON catalog_salewindowprice;
    DROP FUNCTION catalog_refuse_in_begun_window();
    DROP TRIGGER salewindow_is_not_truncated ON catalog_salewindow;
    DROP TRIGGER salewindow_is_kept ON catalog_salewindow;
    DROP TRIGGER salewindow_is_not_rewritten ON catalog_salewindow;
    DROP TRIGGER salewindow_begins_now_or_later ON catalog_salewindow;
    DROP TRIGGER price_is_not_truncated ON catalog_price;
    DROP TRIGGER price_is_kept ON catalog_price;
    DROP TRIGGER price_is_not_rewritten ON catalog_price;
    DROP TRIGGER price_begins_now_or_later ON catalog_price;
    DROP FUNCTION catalog_refuse();
"""

TABLES = ["price", "salewindow", "salewindowprice"]
VERSION_TRIGGERS = "".join(
    f"""
    CREATE TRIGGER catalog_{table}_raises_version
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON catalog_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_raise_version();
    """
    for table in TABLES
)
NO_VERSION_TRIGGERS = "".join(f"DROP TRIGGER catalog_{table}_raises_version ON catalog_{table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_first_prices")]
    operations = [
        migrations.RunSQL(RULE, NO_RULE),
        migrations.RunSQL(GUARDS, NO_GUARDS),
        migrations.RunSQL(VERSION_TRIGGERS, NO_VERSION_TRIGGERS),
    ]
