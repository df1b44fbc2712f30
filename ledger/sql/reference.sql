-- Books, the chart, role maps, new subledgers and ids: the reference data that every post reads.

-- Hand out p_count ids from a named block and return the first.
CREATE OR REPLACE FUNCTION ledger.take_ids(p_name text, p_count bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.id_block AS b (name, next_id) VALUES (p_name, 1 + p_count)
    ON CONFLICT (name) DO UPDATE SET next_id = b.next_id + p_count
    RETURNING next_id - p_count
$$;

-- Open a book: its first business day, the period of that month, the gate for new subledgers and its own subledger.
CREATE OR REPLACE FUNCTION ledger.create_book(
    p_book_id integer, p_own_subledger_id bigint, p_code text, p_name text, p_base_currency text, p_time_zone text, p_fiscal_year_start_month integer,
    p_opened_on date, p_business_date date, p_actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_before date := p_opened_on - 1;
BEGIN
    INSERT INTO ledger.book (book_id, code, name, base_currency, time_zone, fiscal_year_start_month, opened_on, business_date, own_subledger_id)
    VALUES (p_book_id, p_code, p_name, p_base_currency, p_time_zone, p_fiscal_year_start_month, p_opened_on, p_business_date, p_own_subledger_id);
    INSERT INTO ledger.business_day (book_id, business_date, actor) VALUES (p_book_id, p_business_date, p_actor);
    INSERT INTO ledger.birth_gate (book_id, slot, closed_through) SELECT p_book_id, slot, v_before FROM generate_series(0, 15) slot;
    INSERT INTO ledger.subledger (subledger_id, book_id, closed_through) VALUES (p_own_subledger_id, p_book_id, v_before);
    PERFORM ledger.open_months(p_book_id, p_business_date, p_actor);
END $$;

-- Open every month from the book's first to that of a day that has no period yet.
CREATE OR REPLACE FUNCTION ledger.open_months(p_book_id integer, p_through date, p_actor text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_month date;
BEGIN
    FOR v_month IN SELECT generate_series(date_trunc('month', b.opened_on), date_trunc('month', p_through), interval '1 month')::date
                     FROM ledger.book b WHERE b.book_id = p_book_id LOOP
        INSERT INTO ledger.period (book_id, month, state) VALUES (p_book_id, v_month, 'open') ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO ledger.period_event (book_id, month, event_no, action, to_state, actor)
            VALUES (p_book_id, v_month, 1, 'open', 'open', p_actor);
        END IF;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION ledger.open_period(p_book_id integer, p_through date, p_actor text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ledger.open_months(p_book_id, p_through, p_actor)
$$;

-- Move the business date forward, opening the months that it enters.
CREATE OR REPLACE FUNCTION ledger.advance_business_date(p_book_id integer, p_to date, p_actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_from date;
BEGIN
    SELECT b.business_date INTO v_from FROM ledger.book b WHERE b.book_id = p_book_id FOR NO KEY UPDATE;
    IF p_to < v_from THEN
        PERFORM ledger.refuse('LB018', jsonb_build_object('booking_date', p_to, 'business_date', v_from,
                                                          'reason', 'the business date only moves forward'));
    ELSIF p_to > v_from THEN
        PERFORM ledger.open_months(p_book_id, p_to, p_actor);
        UPDATE ledger.book SET business_date = p_to WHERE book_id = p_book_id;
        INSERT INTO ledger.business_day (book_id, business_date, actor) VALUES (p_book_id, p_to, p_actor);
    END IF;
END $$;

-- Open an account. Its nature never changes afterwards; its name, parent and closing are rows of account_change. Its id
-- was taken beforehand: one that was rolled back is never given to another account, whatever somebody remembers of it.
CREATE OR REPLACE FUNCTION ledger.open_account(
    p_account_id integer, p_book_id integer, p_code text, p_slug text, p_name text, p_type text, p_normal_side text, p_parent text, p_currency text,
    p_header boolean, p_subledgered boolean, p_may_go_contra boolean, p_control boolean, p_effective_from date, p_actor text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_parent integer;
BEGIN
    IF EXISTS (SELECT FROM ledger.account a WHERE a.book_id = p_book_id AND (a.code = p_code OR a.slug = p_slug)) THEN
        PERFORM ledger.refuse('LB029', jsonb_build_object('account', p_code));
    END IF;
    IF p_parent IS NOT NULL THEN
        SELECT a.account_id INTO v_parent FROM ledger.account a WHERE a.book_id = p_book_id AND a.code = p_parent;
        IF NOT FOUND THEN
            PERFORM ledger.refuse('LB001', jsonb_build_object('account', p_parent));
        END IF;
    END IF;
    INSERT INTO ledger.account (account_id, book_id, code, slug, type, normal_side, currency, header, subledgered, may_go_contra, control, opened_from)
    VALUES (p_account_id, p_book_id, p_code, p_slug, p_type, p_normal_side, p_currency, p_header, p_subledgered, p_may_go_contra, p_control, p_effective_from);
    PERFORM ledger.change_account(p_account_id, p_effective_from, p_name, v_parent, false, p_actor);
END $$;

-- Append a row to the history of an account, linked to the row before it by digest (ledger/sql/verify_books.sql recomputes).
-- What is null stays as the row before has it. A closed account is closed from the day that its closing named, whatever is
-- changed of it afterwards; to name another day, it is opened again first.
CREATE OR REPLACE FUNCTION ledger.change_account(
    p_account_id integer, p_effective_from date, p_name text, p_parent_id integer, p_is_closed boolean, p_actor text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' AS $$
DECLARE
    v_change_no integer := ledger.take_ids('account_change', 1);
    v_account ledger.account;
    v_new ledger.account_change;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.account_id = p_account_id;
    IF p_is_closed AND v_account.closed_from IS NOT NULL THEN
        PERFORM ledger.refuse('LB002', jsonb_build_object('account', v_account.code, 'closed_on', v_account.closed_from,
                                                          'booking_date', p_effective_from));
    END IF;
    SELECT c.* INTO v_new FROM ledger.account_change c WHERE c.account_id = p_account_id ORDER BY c.change_no DESC LIMIT 1;
    v_new.change_no := v_change_no;
    v_new.account_id := p_account_id;
    v_new.effective_from := p_effective_from;
    v_new.name := coalesce(p_name, v_new.name);
    v_new.parent_id := coalesce(p_parent_id, v_new.parent_id);
    v_new.is_closed := coalesce(p_is_closed, v_new.is_closed);
    v_new.actor := p_actor;
    v_new.recorded_at := clock_timestamp();
    v_new.digest := sha256(coalesce((SELECT c.digest FROM ledger.account_change c WHERE c.change_no = v_change_no - 1), ''::bytea)
                           || ledger.change_record(v_new, v_account));
    INSERT INTO ledger.account_change SELECT (v_new).*;
    IF p_is_closed IS NOT NULL THEN
        UPDATE ledger.account a SET closed_from = CASE WHEN p_is_closed THEN p_effective_from END WHERE a.account_id = p_account_id;
    END IF;
    RETURN v_change_no;
END $$;

CREATE OR REPLACE FUNCTION ledger.map_role(
    p_book_id integer, p_map_name text, p_role text, p_account text, p_effective_from date, p_actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_account_id integer;
BEGIN
    SELECT a.account_id INTO v_account_id FROM ledger.account a WHERE a.book_id = p_book_id AND a.code = p_account;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB001', jsonb_build_object('account', p_account));
    END IF;
    INSERT INTO ledger.role_map (book_id, map_name, role, effective_from, account_id, actor)
    VALUES (p_book_id, p_map_name, p_role, p_effective_from, v_account_id, p_actor);
END $$;

-- Open the subledgers p_first .. p_first + p_count - 1. The gate row stays locked until this transaction ends, and a
-- close locks all of them: a head born while a month closes either is seen by the close or is born behind its gate.
CREATE OR REPLACE FUNCTION ledger.open_subledgers(p_book_id integer, p_currency text, p_first bigint, p_count bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_closed_through date;
    v_taken bigint;
BEGIN
    UPDATE ledger.birth_gate g SET births = g.births + p_count
     WHERE g.book_id = p_book_id AND g.slot = pg_backend_pid() % 16
    RETURNING g.closed_through INTO v_closed_through;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB025', jsonb_build_object('book', p_book_id));
    END IF;
    INSERT INTO ledger.subledger (subledger_id, book_id, closed_through, currency)
    SELECT id, p_book_id, v_closed_through, p_currency FROM generate_series(p_first, p_first + p_count - 1) id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    IF v_taken <> p_count THEN
        PERFORM ledger.refuse('LB024', jsonb_build_object('subledger_id', p_first));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger.freeze_subledger(p_subledger_id bigint, p_frozen boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE ledger.subledger s SET frozen = p_frozen WHERE s.subledger_id = p_subledger_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB009', jsonb_build_object('subledger_id', p_subledger_id));
    END IF;
END $$;
