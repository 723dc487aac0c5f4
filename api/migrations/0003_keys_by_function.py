"""One call takes the key of a call and reads what was kept of it, one keeps the answer: PostgreSQL plans each once."""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION api_take_key(_lock bigint, _client text, _key text, _since timestamptz)
RETURNS TABLE (taken boolean, fingerprint bytea, status smallint, headers jsonb, body bytea)
LANGUAGE plpgsql AS $$
BEGIN
    taken := pg_try_advisory_xact_lock(_lock);
    IF taken THEN
        -- By a statement of its own: it sees what whoever had the key before has kept.
        SELECT k.fingerprint, k.status, k.headers, k.body INTO fingerprint, status, headers, body
        FROM api_idempotencykey k WHERE k.client = _client AND k.key = _key AND k.created_at > _since;
    END IF;
    RETURN NEXT;
END $$;

CREATE FUNCTION api_keep_answer(
    _client text, _key text, _fingerprint bytea, _status int, _headers jsonb, _body bytea, _moment timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO api_idempotencykey (client, key, fingerprint, status, headers, body, created_at)
    VALUES (_client, _key, _fingerprint, _status, _headers, _body, _moment)
    -- One that has had its day may lie there until it is swept.
    ON CONFLICT (client, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
        headers = excluded.headers, body = excluded.body, created_at = excluded.created_at;
END $$;
"""
NO_FUNCTIONS = """
DROP FUNCTION api_take_key(bigint, text, text, timestamptz);
DROP FUNCTION api_keep_answer(text, text, bytea, int, jsonb, bytea, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("api", "0002_idempotency_keys"),
    ]

    operations = [migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS)]
