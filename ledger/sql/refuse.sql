-- The database's own refusals: an error code of ours, and the figures as JSON in DETAIL.
-- ledger/errors.py has the class of each code; nobody reads the message text.

CREATE OR REPLACE FUNCTION ledger.refuse(p_code text, p_figures jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = p_code, MESSAGE = 'refused (' || p_code || '): ' || p_figures::text, DETAIL = p_figures::text;
END $$;
