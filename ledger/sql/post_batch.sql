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
    v_heads integer;
    v_taken integer;
    v_bad record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LB017', jsonb_build_object('level', current_setting('transaction_isolation')));
    END IF;
    IF p_template = 'manual_journal' THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', 'a manual journal', 'actor', p_actor, 'approver', NULL));
    END IF;
    IF p_resume THEN
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

    UPDATE ledger.subledger s SET last_entry_no = s.last_entry_no + 1
      FROM (SELECT DISTINCT t.subledger_id FROM ledger.batch_staging t
             WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to) t
     WHERE s.subledger_id = t.subledger_id AND s.book_id = p_book_id AND NOT s.frozen AND s.closed_through < v_booking_date;
    GET DIAGNOSTICS v_taken = ROW_COUNT;
    SELECT count(DISTINCT t.subledger_id) INTO v_heads FROM ledger.batch_staging t
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to;
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
          JOIN ledger.subledger s ON s.subledger_id = t.subledger_id;
    EXCEPTION WHEN unique_violation THEN
        -- Another use of the key is refused; what a twin of this batch has just booked is passed over by the next attempt.
        PERFORM ledger.refuse_taken_key(p_batch_id, p_from, p_to, p_request_key, p_fingerprint);
        RAISE;
    END;

    INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
    SELECT t.subledger_id, s.last_entry_no, row_number() OVER w, count(*) OVER (PARTITION BY t.subledger_id),
           t.debit_account, t.credit_account, t.amount, t.currency, v_booking_date
      FROM ledger.batch_staging t JOIN ledger.subledger s ON s.subledger_id = t.subledger_id
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
    WINDOW w AS (PARTITION BY t.subledger_id ORDER BY t.seq);

    PERFORM ledger.change_batch_balances(p_batch_id, p_from, p_to);
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

-- Move the balances of a chunk: those that have a row first, then those that need one.
CREATE OR REPLACE FUNCTION ledger.change_batch_balances(p_batch_id bigint, p_from bigint, p_to bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_bad record;
BEGIN
    -- A table of the caller's own by this name could have triggers, which would run with the rights of this function.
    IF EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass('pg_temp.batch_change') AND pg_get_userbyid(c.relowner) <> current_user) THEN
        RAISE insufficient_privilege USING MESSAGE = 'pg_temp.batch_change was not made by this function';
    END IF;
    CREATE TEMPORARY TABLE IF NOT EXISTS batch_change (
        subledger_id bigint NOT NULL, account_id integer NOT NULL, currency text NOT NULL, change bigint NOT NULL,
        may_go_contra boolean NOT NULL) ON COMMIT DELETE ROWS;
    TRUNCATE pg_temp.batch_change;
    INSERT INTO pg_temp.batch_change
    SELECT t.subledger_id, a.account_id, t.currency,
           sum(CASE WHEN (a.account_id = t.debit_account) = (a.normal_side = 'debit') THEN t.amount ELSE -t.amount END), a.may_go_contra
      FROM ledger.batch_staging t
      JOIN ledger.account a ON a.account_id IN (t.debit_account, t.credit_account) AND a.subledgered
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
     GROUP BY t.subledger_id, a.account_id, t.currency, a.may_go_contra
    HAVING sum(CASE WHEN (a.account_id = t.debit_account) = (a.normal_side = 'debit') THEN t.amount ELSE -t.amount END) <> 0;

    SELECT t.subledger_id, a.code AS account, t.currency, s.currency AS expected INTO v_bad
      FROM ledger.batch_staging t JOIN ledger.subledger s ON s.subledger_id = t.subledger_id
      JOIN ledger.account a ON a.account_id = t.debit_account
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to AND s.currency <> t.currency LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB004', jsonb_build_object('account', v_bad.account || ' in subledger ' || v_bad.subledger_id,
                                                          'currency', v_bad.currency, 'expected', v_bad.expected));
    END IF;

    SELECT c.subledger_id, a.code AS account, coalesce(b.balance, 0) AS balance, c.change, c.currency INTO v_bad
      FROM pg_temp.batch_change c
      JOIN ledger.account a ON a.account_id = c.account_id
      LEFT JOIN ledger.account_balance b
        ON b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency
     WHERE NOT c.may_go_contra AND c.change < 0 AND coalesce(b.balance, 0) + c.change < 0
     ORDER BY c.subledger_id LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB015', to_jsonb(v_bad));
    END IF;

    UPDATE ledger.account_balance b SET balance = b.balance + c.change
      FROM pg_temp.batch_change c
     WHERE b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency;
    INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)
    SELECT c.subledger_id, c.account_id, c.currency, c.change, c.may_go_contra
      FROM pg_temp.batch_change c
     WHERE NOT EXISTS (SELECT FROM ledger.account_balance b
                        WHERE b.subledger_id = c.subledger_id AND b.account_id = c.account_id AND b.currency = c.currency);
END $$;

-- Name the first subledger of a chunk that takes no entry.
CREATE OR REPLACE FUNCTION ledger.refuse_batch_head(
    p_batch_id bigint, p_from bigint, p_to bigint, p_book_id integer, p_booking_date date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_subledger_id bigint;
BEGIN
    SELECT t.subledger_id INTO v_subledger_id
      FROM ledger.batch_staging t LEFT JOIN ledger.subledger s ON s.subledger_id = t.subledger_id
     WHERE t.batch_id = p_batch_id AND t.subledger_id BETWEEN p_from AND p_to
       AND (s.subledger_id IS NULL OR s.book_id <> p_book_id OR s.frozen OR s.closed_through >= p_booking_date)
     ORDER BY t.subledger_id LIMIT 1;
    IF (SELECT s.book_id <> p_book_id FROM ledger.subledger s WHERE s.subledger_id = v_subledger_id) THEN
        PERFORM ledger.refuse('LB027', jsonb_build_object('request_key', p_batch_id,
            'reason', 'subledger ' || v_subledger_id || ' belongs to another book'));
    END IF;
    PERFORM ledger.refuse_head(v_subledger_id, p_booking_date);
END $$;
