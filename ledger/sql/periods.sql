-- The life of a period. The gate that posting obeys is closed_through on each head; a close raises it in chunks, each a
-- transaction of its own, and only then says that the month is closed.

-- Take one step of a period's life and record it. p_from is the state that the caller decided upon.
CREATE OR REPLACE FUNCTION ledger.change_period(
    p_book_id integer, p_month date, p_action text, p_from text, p_to text, p_actor text, p_approver text, p_reason text,
    p_block_no bigint, p_digest bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_state text;
    v_event_no integer;
    v_book text := (SELECT b.code FROM ledger.book b WHERE b.book_id = p_book_id);
    v_reason text;
BEGIN
    SELECT p.state INTO v_state FROM ledger.period p WHERE p.book_id = p_book_id AND p.month = p_month FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB031', jsonb_build_object('book', v_book, 'month', to_char(p_month, 'YYYY-MM')));
    END IF;
    v_reason := CASE
        WHEN v_state <> p_from THEN 'it was ' || p_from || ' when this was decided'
        WHEN p_to IN ('closing', 'closed') AND EXISTS (
            SELECT FROM ledger.period p WHERE p.book_id = p_book_id AND p.month < p_month AND p.state <> 'closed')
            THEN 'an earlier month is not closed yet'
        WHEN p_from IN ('closing', 'closed') AND p_to = 'soft_closed' AND EXISTS (
            SELECT FROM ledger.period p WHERE p.book_id = p_book_id AND p.month > p_month AND p.state IN ('closing', 'closed'))
            THEN 'the latest closed month is reopened first'
        WHEN p_to = 'closed' AND EXISTS (
            SELECT FROM ledger.subledger s WHERE s.book_id = p_book_id AND s.closed_through < p_month + interval '1 month' - interval '1 day')
            THEN 'a subledger is still open to it'
        -- Its totals are written down from sealed entries alone.
        WHEN p_to = 'closed' AND EXISTS (
            SELECT FROM ledger.subledger s
              LEFT JOIN ledger.seal_mark m ON m.subledger_id = s.subledger_id
              JOIN ledger.journal_entry e ON e.subledger_id = s.subledger_id AND e.entry_no > coalesce(m.sealed_no, 0)
             WHERE s.book_id = p_book_id AND s.last_entry_no > coalesce(m.sealed_no, 0) AND e.booking_date < p_month + interval '1 month')
            THEN 'it holds entries that are not sealed'
    END;
    IF v_reason IS NOT NULL THEN
        PERFORM ledger.refuse('LB023', jsonb_build_object('book', v_book, 'month', to_char(p_month, 'YYYY-MM'),
                                                          'state', v_state, 'wanted', p_to, 'reason', v_reason));
    END IF;
    IF p_from IN ('closing', 'closed') AND p_to = 'soft_closed'
       AND (p_approver IS NULL OR p_approver = p_actor OR coalesce(p_reason, '') = '') THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', p_action || ' of ' || to_char(p_month, 'YYYY-MM'),
                                                          'actor', p_actor, 'approver', p_approver));
    END IF;
    UPDATE ledger.period SET state = p_to WHERE book_id = p_book_id AND month = p_month;
    SELECT coalesce(max(e.event_no), 0) + 1 INTO v_event_no
      FROM ledger.period_event e WHERE e.book_id = p_book_id AND e.month = p_month;
    INSERT INTO ledger.period_event (book_id, month, event_no, action, from_state, to_state, actor, approver, reason, block_no, trial_balance_digest)
    VALUES (p_book_id, p_month, v_event_no, p_action, p_from, p_to, p_actor, p_approver, p_reason, p_block_no, p_digest);
    IF p_to = 'closed' THEN
        INSERT INTO ledger.period_balance (book_id, month, event_no, account_id, currency, debit, credit)
        SELECT a.book_id, p_month, v_event_no, a.account_id, a.currency, sum(a.debit), sum(a.credit)
          FROM ledger.activity a
         WHERE a.book_id = p_book_id AND a.booking_date < p_month + interval '1 month'
         GROUP BY a.book_id, a.account_id, a.currency;
    END IF;
    RETURN v_event_no;
END $$;

-- Hold the period that a gate at this date closes or opens, so that a close and a reopening move gates one after the other:
-- a head whose gate the one is just lowering would look closed to the other. Posters do not read this row.
CREATE OR REPLACE FUNCTION ledger.hold_periods(p_book_id integer, p_closed_through date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM ledger.period p
      WHERE p.book_id = p_book_id AND p.month = p_closed_through + 1 - extract(day FROM p_closed_through)::integer FOR NO KEY UPDATE;
    PERFORM FROM ledger.period p
      WHERE p.book_id = p_book_id AND p.month = p_closed_through + 1 FOR NO KEY UPDATE;
END $$;

-- Move the gate that new subledgers take: waits for births under way, so that the heads to follow are all there are.
CREATE OR REPLACE FUNCTION ledger.move_birth_gates(p_book_id integer, p_closed_through date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ledger.hold_periods(p_book_id, p_closed_through);
    UPDATE ledger.birth_gate SET closed_through = p_closed_through
     WHERE book_id = p_book_id AND closed_through <> p_closed_through;
END $$;

-- Move the gates of the next p_limit heads after p_after to a date and return the last one's id, or null at the end.
CREATE OR REPLACE FUNCTION ledger.move_gates(
    p_book_id integer, p_closed_through date, p_after bigint, p_limit integer, OUT o_last bigint, OUT o_moved integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ledger.hold_periods(p_book_id, p_closed_through);
    SELECT max(s.subledger_id) INTO o_last
      FROM (SELECT s.subledger_id FROM ledger.subledger s WHERE s.subledger_id > p_after ORDER BY s.subledger_id LIMIT p_limit) s;
    UPDATE ledger.subledger s SET closed_through = p_closed_through
     WHERE s.subledger_id > p_after AND s.subledger_id <= o_last AND s.book_id = p_book_id AND s.closed_through <> p_closed_through;
    GET DIAGNOSTICS o_moved = ROW_COUNT;
END $$;

-- Remember a closing entry, which an income statement leaves out.
CREATE OR REPLACE FUNCTION ledger.record_year_end(p_book_id integer, p_fiscal_year_end date, p_entry_no integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.year_end (book_id, fiscal_year_end, version, entry_no)
    SELECT p_book_id, p_fiscal_year_end, coalesce(max(y.version), 0) + 1, p_entry_no
      FROM ledger.year_end y WHERE y.book_id = p_book_id AND y.fiscal_year_end = p_fiscal_year_end
$$;
