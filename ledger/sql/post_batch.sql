-- The other way in, set-based: one entry for each subledger of a range, from the staging table. The caller cuts the
-- batch into chunks of a few thousand heads, one transaction each; a chunk is booked whole or not at all.

-- Book the staged postings of subledgers p_from..p_to and return how many entries were written. Subledgers that hold
-- an entry of this key already are passed over when p_resume says that the batch was begun before.
CREATE OR REPLACE FUNCTION ledger.post_batch_chunk(
    p_batch_id bigint, p_from bigint, p_to bigint, p_book_id integer, p_request_key text, p_fingerprint bytea,
    p_template text, p_template_version integer, p_effective_date date, p_actor text, p_narration text,
    p_source_ref text, p_resume boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_booking_date date := (SELECT b.business_date FROM ledger.book b WHERE b.book_id = p_book_id);
    v_staged bigint;
    v_heads bigint;
    v_taken integer;
    v_changed bigint;
    v_moved bigint;
    v_bad record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LB017', jsonb_build_object('level', current_setting('transaction_isolation')));
    END IF;
    IF p_template = 'manual_journal' THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', 'a manual journal', 'actor', p_actor, 'approver', NULL));
    END IF;
    IF p_resume THEN
        PERFORM ledger.refuse_taken_key(p_batch_id, p_from, p_to, p_request_key, p_fingerprint);
        PERFORM ledger.refuse_other_amounts(p_batch_id, p_from, p_to, p_request_key);
        DELETE FROM ledger.batch_staging t USING ledger.journal_entry e
         WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
           AND e.subledger_id = t.subledger_id AND e.request_key = p_request_key;
    END IF;

    -- The chart, once for each pair of accounts rather than for each row.
    FOR v_bad IN SELECT DISTINCT t.debit_account, t.credit_account, t.currency FROM ledger.batch_staging t
                  WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to LOOP
        PERFORM ledger.refuse_accounts(p_book_id, v_booking_date, false, ARRAY[v_bad.debit_account, v_bad.credit_account],
                                       ARRAY[v_bad.currency, v_bad.currency]);
        PERFORM ledger.refuse_mixed_memoranda(ARRAY[v_bad.debit_account], ARRAY[v_bad.credit_account]);
    END LOOP;

    SELECT count(*), count(DISTINCT t.subledger_id) INTO v_staged, v_heads FROM ledger.batch_staging t
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to;
    UPDATE ledger.subledger s SET last_entry_no = s.last_entry_no + 1
      FROM (SELECT t.subledger_id, min(t.currency) AS currency, max(t.currency) AS other FROM ledger.batch_staging t
             WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to GROUP BY t.subledger_id) t
     WHERE s.subledger_id = t.subledger_id AND s.subledger_id BETWEEN p_from AND p_to AND s.book_id = p_book_id AND NOT s.frozen
       AND s.closed_through < v_booking_date AND (s.currency IS NULL OR (s.currency = t.currency AND s.currency = t.other));
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    IF v_taken <> v_heads THEN
        PERFORM ledger.refuse_batch_head(p_batch_id, p_from, p_to, p_book_id, v_booking_date);
    END IF;

    BEGIN
        INSERT INTO ledger.journal_entry (subledger_id, entry_no, book_id, template, template_version, effective_date, booking_date,
            actor, request_key, fingerprint, source_ref, narration, posting_count)
        SELECT s.subledger_id, s.last_entry_no, p_book_id, p_template, p_template_version, p_effective_date, v_booking_date,
               p_actor, p_request_key, p_fingerprint, p_source_ref, p_narration, t.posting_count
          FROM (SELECT t.subledger_id, count(*) AS posting_count FROM ledger.batch_staging t
                 WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to GROUP BY t.subledger_id) t
          JOIN ledger.subledger s ON s.subledger_id = t.subledger_id AND s.subledger_id BETWEEN p_from AND p_to;
    EXCEPTION WHEN unique_violation THEN
        -- Another use of the key is refused; what a twin of this batch has just booked is passed over by the next attempt.
        PERFORM ledger.refuse_taken_key(p_batch_id, p_from, p_to, p_request_key, p_fingerprint);
        RAISE;
    END;

    IF v_staged = v_heads THEN
        INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
        SELECT t.subledger_id, s.last_entry_no, 1, 1, t.debit_account, t.credit_account, t.amount, t.currency, v_booking_date
          FROM ledger.batch_staging t
          JOIN ledger.subledger s ON s.subledger_id = t.subledger_id AND s.subledger_id BETWEEN p_from AND p_to
         WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to;
    ELSE
        INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
        SELECT t.subledger_id, s.last_entry_no, row_number() OVER w, count(*) OVER (PARTITION BY t.subledger_id),
               t.debit_account, t.credit_account, t.amount, t.currency, v_booking_date
          FROM ledger.batch_staging t
          JOIN ledger.subledger s ON s.subledger_id = t.subledger_id AND s.subledger_id BETWEEN p_from AND p_to
         WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
        WINDOW w AS (PARTITION BY t.subledger_id ORDER BY t.seq);
    END IF;

    WITH change AS MATERIALIZED (
        SELECT c.* FROM ledger.batch_changes(p_batch_id, p_from, p_to) c
    ), moved AS (
        UPDATE ledger.account_balance b SET balance = b.balance + c.change
          FROM change c
         WHERE b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency
           AND b.subledger_id BETWEEN p_from AND p_to AND (b.may_go_contra OR b.balance + c.change >= 0)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM change), (SELECT count(*) FROM moved) INTO v_changed, v_moved;
    IF v_moved <> v_changed THEN
        PERFORM ledger.open_batch_balances(p_batch_id, p_from, p_to, v_changed - v_moved);
    END IF;
    DELETE FROM ledger.batch_staging t WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to;
    RETURN v_taken;
END $$;

-- Say which subledger has an entry of this key that is not of this batch.
CREATE OR REPLACE FUNCTION ledger.refuse_taken_key(
    p_batch_id bigint, p_from bigint, p_to bigint, p_request_key text, p_fingerprint bytea) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_subledger_id bigint;
BEGIN
    SELECT e.subledger_id INTO v_subledger_id
      FROM ledger.batch_staging t JOIN ledger.journal_entry e ON e.subledger_id = t.subledger_id AND e.request_key = p_request_key
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to AND e.fingerprint <> p_fingerprint
     ORDER BY t.subledger_id LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB027', jsonb_build_object('request_key', p_request_key,
            'reason', 'subledger ' || v_subledger_id || ' has an entry of this key that is not of this batch'));
    END IF;
END $$;

-- A key that booked other accounts or amounts before is refused, not passed over.
CREATE OR REPLACE FUNCTION ledger.refuse_other_amounts(p_batch_id bigint, p_from bigint, p_to bigint, p_request_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_subledger_id bigint;
BEGIN
    SELECT t.subledger_id INTO v_subledger_id
      FROM (SELECT t.subledger_id, array_agg((t.debit_account, t.credit_account, t.amount, t.currency)::text ORDER BY t.seq) AS postings
              FROM ledger.batch_staging t WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
             GROUP BY t.subledger_id) t
      JOIN ledger.journal_entry e ON e.subledger_id = t.subledger_id AND e.request_key = p_request_key
     WHERE t.postings IS DISTINCT FROM (
           SELECT array_agg((p.debit_account, p.credit_account, p.amount, p.currency)::text ORDER BY p.seq)
             FROM ledger.posting p WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no)
     ORDER BY t.subledger_id LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB027', jsonb_build_object('request_key', p_request_key,
            'reason', 'subledger ' || v_subledger_id || ' has an entry of this key with other accounts or amounts'));
    END IF;
END $$;

-- By how much each balance of a chunk moves. The accounts are looked up once for each pair, not for each row: pairs are
-- materialized, because the planner knows no statistics of what was staged a moment ago, and would read all of it again
-- for each of its rows.
CREATE OR REPLACE FUNCTION ledger.batch_changes(p_batch_id bigint, p_from bigint, p_to bigint) RETURNS TABLE (
    subledger_id bigint, account_id integer, currency text, change bigint, may_go_contra boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    WITH l AS MATERIALIZED (
        SELECT p.debit_account, p.credit_account, a.account_id, a.may_go_contra,
               CASE WHEN (a.account_id = p.debit_account) = (a.normal_side = 'debit') THEN 1 ELSE -1 END AS sign
          FROM (SELECT DISTINCT s.debit_account, s.credit_account FROM ledger.batch_staging s
                 WHERE s.batch_id = p_batch_id AND s.subledger_id BETWEEN p_from AND p_to) p
          JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.subledgered
    )
    SELECT t.subledger_id, l.account_id, t.currency, sum(l.sign * t.amount)::bigint, l.may_go_contra
      FROM l
      JOIN ledger.batch_staging t ON t.debit_account = l.debit_account AND t.credit_account = l.credit_account
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
     GROUP BY t.subledger_id, l.account_id, t.currency, l.may_go_contra
    HAVING sum(l.sign * t.amount) <> 0
$$;

-- Some balances of a chunk did not move: those without a row get one, and one that would turn to the other side is
-- refused. The postings are written, so a balance that moved agrees with them, and the one to name does not.
CREATE OR REPLACE FUNCTION ledger.open_batch_balances(p_batch_id bigint, p_from bigint, p_to bigint, p_left bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_opened bigint;
    v_bad record;
BEGIN
    INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)
    SELECT c.subledger_id, c.account_id, c.currency, c.change, c.may_go_contra
      FROM ledger.batch_changes(p_batch_id, p_from, p_to) c
     WHERE (c.change >= 0 OR c.may_go_contra)
       AND NOT EXISTS (SELECT FROM ledger.account_balance b
                        WHERE b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency);
    GET DIAGNOSTICS v_opened = ROW_COUNT;
    IF v_opened = p_left THEN
        RETURN;
    END IF;
    SELECT c.subledger_id, a.code AS account, coalesce(b.balance, 0) AS balance, c.change, c.currency INTO v_bad
      FROM ledger.batch_changes(p_batch_id, p_from, p_to) c
      JOIN ledger.account a ON a.account_id = c.account_id
      LEFT JOIN ledger.account_balance b
        ON b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency
     CROSS JOIN LATERAL (
           SELECT sum(CASE WHEN (p.debit_account = c.account_id) = (a.normal_side = 'debit') THEN p.amount ELSE -p.amount END) AS balance
             FROM ledger.posting p
            WHERE p.subledger_id = c.subledger_id AND p.currency = c.currency AND c.account_id IN (p.debit_account, p.credit_account)) posted
     WHERE c.change < 0 AND NOT c.may_go_contra AND coalesce(b.balance, 0) <> posted.balance
     ORDER BY c.subledger_id, c.account_id LIMIT 1;
    PERFORM ledger.refuse('LB015', to_jsonb(v_bad));
END $$;

-- Name the first subledger of a chunk that takes no entry, or not in this currency.
CREATE OR REPLACE FUNCTION ledger.refuse_batch_head(
    p_batch_id bigint, p_from bigint, p_to bigint, p_book_id integer, p_booking_date date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT t.subledger_id, s.book_id, t.currency, s.currency AS expected, a.code AS account,
           coalesce(s.currency <> t.currency, false) AS other_currency INTO v
      FROM ledger.batch_staging t
      LEFT JOIN ledger.subledger s ON s.subledger_id = t.subledger_id
      LEFT JOIN ledger.account a ON a.account_id = t.debit_account
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
       AND (s.subledger_id IS NULL OR s.book_id <> p_book_id OR s.frozen OR s.closed_through >= p_booking_date OR s.currency <> t.currency)
     ORDER BY other_currency, t.subledger_id, t.seq LIMIT 1;
    IF v.other_currency THEN
        PERFORM ledger.refuse('LB004', jsonb_build_object('account', v.account || ' in subledger ' || v.subledger_id,
                                                          'currency', v.currency, 'expected', v.expected));
    ELSIF v.book_id <> p_book_id THEN
        PERFORM ledger.refuse('LB027', jsonb_build_object('request_key', p_batch_id,
            'reason', 'subledger ' || v.subledger_id || ' belongs to another book'));
    END IF;
    PERFORM ledger.refuse_head(v.subledger_id, p_booking_date);
END $$;
