-- Many entries of one subledger in one round trip, in the order given: what a replay undoes and books again, or the days
-- that a loan was behind. All of them are booked on the business date, or none. Balances are checked where they come to.

CREATE OR REPLACE FUNCTION ledger.post_entries(
    p_subledger_id bigint, p_actor text, p_request_keys text[], p_fingerprints bytea[], p_templates text[],
    p_template_versions integer[], p_effective_dates date[], p_narrations text[], p_source_refs text[], p_reverses_nos integer[],
    p_corrects_nos integer[], p_details jsonb[], p_posting_counts integer[], p_debits integer[], p_credits integer[],
    p_amounts bigint[], p_currencies text[], OUT o_first_no integer, OUT o_booking_date date)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_count integer := cardinality(p_request_keys);
    v_book_id integer;
    v_own_currency text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LB017', jsonb_build_object('level', current_setting('transaction_isolation')));
    END IF;
    IF v_count IS NULL OR v_count = 0
       OR (SELECT min(c) > 0 AND sum(c) = cardinality(p_debits) FROM unnest(p_posting_counts) c) IS NOT TRUE THEN
        PERFORM ledger.refuse('LB019');
    END IF;
    IF 'manual_journal' = ANY (p_templates) THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', 'a manual journal', 'actor', p_actor, 'approver', NULL));
    END IF;

    UPDATE ledger.subledger s SET last_entry_no = s.last_entry_no + v_count
      FROM ledger.book b
     WHERE s.subledger_id = p_subledger_id AND b.book_id = s.book_id AND NOT s.frozen AND s.closed_through < b.business_date
    RETURNING s.last_entry_no - v_count + 1, s.book_id, s.currency, b.business_date
      INTO o_first_no, v_book_id, v_own_currency, o_booking_date;
    IF NOT FOUND THEN
        PERFORM ledger.refuse_head(p_subledger_id, NULL);
    END IF;
    PERFORM ledger.refuse_accounts(v_book_id, o_booking_date, false, array_agg(t.account_id), array_agg(t.currency))
       FROM (SELECT DISTINCT unnest(p_debits || p_credits) AS account_id, unnest(p_currencies || p_currencies) AS currency) t;
    PERFORM ledger.refuse_mixed_memoranda(array_agg(t.debit), array_agg(t.credit))
       FROM (SELECT DISTINCT d.debit, d.credit FROM unnest(p_debits, p_credits) d (debit, credit)) t;
    IF NOT (v_own_currency = ALL (p_currencies)) THEN
        PERFORM ledger.refuse_currency(p_subledger_id, v_own_currency, p_debits, p_currencies);
    END IF;

    PERFORM ledger.refuse('LB013', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', t.other_no))
       FROM unnest(p_reverses_nos || p_corrects_nos) t (other_no) WHERE t.other_no >= o_first_no OR t.other_no < 1;
    BEGIN
        INSERT INTO ledger.journal_entry (subledger_id, entry_no, book_id, template, template_version, effective_date, booking_date,
            actor, request_key, fingerprint, source_ref, reverses_no, corrects_no, narration, details, posting_count)
        SELECT p_subledger_id, o_first_no + t.place - 1, v_book_id, t.template, t.template_version, t.effective_date, o_booking_date,
               p_actor, t.request_key, t.fingerprint, t.source_ref, t.reverses_no, t.corrects_no, t.narration, t.details, t.posting_count
          FROM unnest(p_request_keys, p_fingerprints, p_templates, p_template_versions, p_effective_dates, p_narrations, p_source_refs,
                      p_reverses_nos, p_corrects_nos, p_details, p_posting_counts) WITH ORDINALITY
               t (request_key, fingerprint, template, template_version, effective_date, narration, source_ref, reverses_no, corrects_no,
                  details, posting_count, place);
    EXCEPTION WHEN unique_violation THEN
        PERFORM ledger.refuse_taken(p_subledger_id, p_request_keys, p_reverses_nos);
        RAISE;
    END;
    INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
    SELECT p_subledger_id, o_first_no + h.place - 1, t.place - h.before, h.posting_count, t.debit, t.credit, t.amount, t.currency,
           o_booking_date
      FROM (SELECT c.place, c.posting_count, sum(c.posting_count) OVER (ORDER BY c.place) - c.posting_count AS before
              FROM unnest(p_posting_counts) WITH ORDINALITY c (posting_count, place)) h
      JOIN unnest(p_debits, p_credits, p_amounts, p_currencies) WITH ORDINALITY t (debit, credit, amount, currency, place)
        ON t.place > h.before AND t.place <= h.before + h.posting_count;
    PERFORM ledger.check_reversals(p_subledger_id, o_first_no);
    PERFORM ledger.move_balances_since(p_subledger_id, o_first_no);
END $$;

-- Say which key booked an entry before, or which entry was reversed before; or is, by two entries of one call.
CREATE OR REPLACE FUNCTION ledger.refuse_taken(p_subledger_id bigint, p_request_keys text[], p_reverses_nos integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT c.entry_no, c.request_key, c.reverses_no INTO v
      FROM (SELECT e.entry_no, e.request_key, e.reverses_no FROM ledger.journal_entry e WHERE e.subledger_id = p_subledger_id
             UNION ALL
            SELECT s.last_entry_no - cardinality(p_request_keys) + t.place, t.request_key, t.reverses_no
              FROM ledger.subledger s, unnest(p_request_keys, p_reverses_nos) WITH ORDINALITY t (request_key, reverses_no, place)
             WHERE s.subledger_id = p_subledger_id
               AND (cardinality(array_positions(p_request_keys, t.request_key)) > 1
                    OR cardinality(array_positions(p_reverses_nos, t.reverses_no)) > 1 AND t.reverses_no IS NOT NULL)) c
     WHERE c.request_key = ANY (p_request_keys) OR c.reverses_no = ANY (p_reverses_nos)
     ORDER BY c.entry_no LIMIT 1;
    IF v.reverses_no = ANY (p_reverses_nos) THEN
        PERFORM ledger.refuse('LB012', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', v.reverses_no,
                                                          'reversed_by', v.entry_no));
    END IF;
    PERFORM ledger.refuse('LB011', jsonb_build_object('request_key', v.request_key, 'field', 'entry',
        'stored', v.entry_no::text, 'given', 'one of several'));
END $$;

-- What is reversed by the entries from p_first_no on is no reversal itself, and is undone whole by its pairs swapped.
CREATE OR REPLACE FUNCTION ledger.check_reversals(p_subledger_id bigint, p_first_no integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT r.reverses_no INTO v
      FROM ledger.journal_entry r
      JOIN ledger.journal_entry o ON o.subledger_id = r.subledger_id AND o.entry_no = r.reverses_no AND o.reverses_no IS NOT NULL
     WHERE r.subledger_id = p_subledger_id AND r.entry_no >= p_first_no LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB014', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', v.reverses_no));
    END IF;
    SELECT r.reverses_no INTO v
      FROM ledger.journal_entry r
      JOIN ledger.journal_entry o ON o.subledger_id = r.subledger_id AND o.entry_no = r.reverses_no
      LEFT JOIN ledger.posting p ON p.subledger_id = r.subledger_id AND p.entry_no = r.entry_no
      LEFT JOIN ledger.posting q ON q.subledger_id = o.subledger_id AND q.entry_no = o.entry_no AND q.seq = p.seq
     WHERE r.subledger_id = p_subledger_id AND r.entry_no >= p_first_no
       AND (r.posting_count <> o.posting_count
            OR (p.debit_account, p.credit_account, p.amount, p.currency)
               IS DISTINCT FROM (q.credit_account, q.debit_account, q.amount, q.currency))
     LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB035', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', v.reverses_no));
    END IF;
END $$;

-- The balances of the entries from p_first_no on, one currency after the other, from the postings that were just written.
CREATE OR REPLACE FUNCTION ledger.move_balances_since(p_subledger_id bigint, p_first_no integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
    v_rows integer;
BEGIN
    FOR v IN SELECT m.currency, array_agg(m.account_id ORDER BY m.account_id) AS accounts, array_agg(m.change ORDER BY m.account_id) AS changes
               FROM (SELECT p.currency, a.account_id, sum(CASE WHEN p.is_debit = (a.normal_side = 'debit') THEN p.amount ELSE -p.amount END)::bigint AS change
                       FROM (SELECT d.currency, d.debit_account AS account_id, true AS is_debit, sum(d.amount) AS amount
                               FROM ledger.posting d WHERE d.subledger_id = p_subledger_id AND d.entry_no >= p_first_no GROUP BY 1, 2
                              UNION ALL
                             SELECT c.currency, c.credit_account, false, sum(c.amount)
                               FROM ledger.posting c WHERE c.subledger_id = p_subledger_id AND c.entry_no >= p_first_no GROUP BY 1, 2) p
                       JOIN ledger.account a ON a.account_id = p.account_id AND a.subledgered
                      GROUP BY p.currency, a.account_id) m
              WHERE m.change <> 0 GROUP BY m.currency ORDER BY m.currency LOOP
        UPDATE ledger.account_balance b SET balance = b.balance + v.changes[array_position(v.accounts, b.account_id)]
         WHERE b.subledger_id = p_subledger_id AND b.account_id = ANY (v.accounts) AND b.currency = v.currency
           AND (b.may_go_contra OR b.balance + v.changes[array_position(v.accounts, b.account_id)] >= 0);
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows <> cardinality(v.accounts) THEN
            PERFORM ledger.open_balances(p_subledger_id, v.currency, v.accounts, v.changes, v_rows);
        END IF;
    END LOOP;
END $$;
