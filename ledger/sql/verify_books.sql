-- What an auditor recomputes beside the seals (verify_seals.sql): copies against what they are copies of, and rules that
-- hold between rows. Every function returns the rows that do not hold, none if all is well.

-- I-8: a balance is the sum of the postings, positive on the account's normal side, and says what its account says.
CREATE OR REPLACE FUNCTION ledger.find_broken_balances() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY EXECUTE ledger.in_runs($run$
        SELECT 'balance-differs', format('subledger %%s, account %%s, %%s', x.subledger_id, x.account_id, x.currency),
               sum(x.posted)::text, coalesce(sum(x.kept)::text, 'no balance')
          FROM (SELECT p.subledger_id, a.account_id, p.currency,
                       CASE a.normal_side WHEN 'debit' THEN p.amount ELSE -p.amount END AS posted, NULL::bigint AS kept
                  FROM ledger.posting p JOIN ledger.account a ON a.account_id = p.debit_account AND a.subledgered
                 WHERE p.subledger_id > %1$s AND p.subledger_id <= %2$s
                UNION ALL
                SELECT p.subledger_id, a.account_id, p.currency, CASE a.normal_side WHEN 'debit' THEN -p.amount ELSE p.amount END, NULL
                  FROM ledger.posting p JOIN ledger.account a ON a.account_id = p.credit_account AND a.subledgered
                 WHERE p.subledger_id > %1$s AND p.subledger_id <= %2$s
                UNION ALL
                SELECT b.subledger_id, b.account_id, b.currency, 0, b.balance FROM ledger.account_balance b
                 WHERE b.subledger_id > %1$s AND b.subledger_id <= %2$s) x
         GROUP BY x.subledger_id, x.account_id, x.currency
        HAVING sum(x.posted) <> coalesce(sum(x.kept), 0)$run$);
    RETURN QUERY
    SELECT 'balance-misplaced', format('subledger %s, account %s, %s', b.subledger_id, b.account_id, b.currency),
           CASE WHEN a.account_id IS NULL THEN 'an account that exists' WHEN NOT a.subledgered THEN 'no balance: the account keeps none'
                ELSE 'may go contra: ' || a.may_go_contra END, 'may go contra: ' || b.may_go_contra
      FROM ledger.account_balance b LEFT JOIN ledger.account a ON a.account_id = b.account_id
     WHERE a.account_id IS NULL OR NOT a.subledgered OR a.may_go_contra <> b.may_go_contra OR (b.balance < 0 AND NOT b.may_go_contra);
END $$;

-- The sealer's running totals, and the totals that a close wrote down, against the totals of the blocks.
CREATE OR REPLACE FUNCTION ledger.find_broken_activity() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY
    SELECT 'activity-differs', format('account %s, %s, booked %s, effective %s', account_id, currency, booking_date, effective_date),
           CASE WHEN t.debit IS NULL THEN 'none' ELSE format('debit %s, credit %s', t.debit, t.credit) END,
           CASE WHEN a.debit IS NULL THEN 'none' ELSE format('debit %s, credit %s', a.debit, a.credit) END
      FROM (SELECT t.book_id, t.account_id, t.currency, t.booking_date, t.effective_date, sum(t.debit) AS debit, sum(t.credit) AS credit
              FROM ledger.seal_total t GROUP BY t.book_id, t.account_id, t.currency, t.booking_date, t.effective_date) t
      FULL JOIN ledger.activity a USING (book_id, account_id, currency, booking_date, effective_date)
     WHERE (t.debit, t.credit) IS DISTINCT FROM (a.debit, a.credit)
    UNION ALL
    SELECT 'period-balance-differs',
           format('book %s, %s, event %s, account %s, %s', book_id, to_char(month, 'YYYY-MM'), event_no, account_id, currency),
           CASE WHEN t.debit IS NULL THEN 'none' ELSE format('debit %s, credit %s', t.debit, t.credit) END,
           CASE WHEN b.debit IS NULL THEN 'none' ELSE format('debit %s, credit %s', b.debit, b.credit) END
      FROM (SELECT e.book_id, e.month, e.event_no, t.account_id, t.currency, sum(t.debit) AS debit, sum(t.credit) AS credit
              FROM ledger.period_event e
              JOIN ledger.seal_total t ON t.book_id = e.book_id AND t.block_no <= e.block_no
                   AND t.booking_date < e.month + interval '1 month'
             WHERE e.to_state = 'closed'
             GROUP BY e.book_id, e.month, e.event_no, t.account_id, t.currency) t
      FULL JOIN ledger.period_balance b USING (book_id, month, event_no, account_id, currency)
     WHERE (t.debit, t.credit) IS DISTINCT FROM (b.debit, b.credit);
END $$;

-- The chart: each change covers the one before it and all that never changes of its account; closed_from repeats what they say.
CREATE OR REPLACE FUNCTION ledger.find_broken_chart() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' AS $$
BEGIN
    RETURN QUERY
    SELECT 'chart-edited', format('change %s, account %s', c.change_no, c.account_id), encode(c.digest, 'hex'),
           coalesce(encode(c.computed, 'hex'), 'no account')
      FROM (SELECT c.*, sha256(coalesce(lag(c.digest) OVER w, ''::bytea) || ledger.change_record(c, a)) AS computed
              FROM ledger.account_change c LEFT JOIN ledger.account a ON a.account_id = c.account_id
            WINDOW w AS (ORDER BY c.change_no)) c
     WHERE c.computed IS DISTINCT FROM c.digest
    UNION ALL
    SELECT 'chart-change-missing', 'change ' || c.change_no, 'after change ' || c.change_no - 1, 'after change ' || c.previous_no
      FROM (SELECT c.change_no, coalesce(lag(c.change_no) OVER (ORDER BY c.change_no), 0) AS previous_no FROM ledger.account_change c) c
     WHERE c.previous_no <> c.change_no - 1
    UNION ALL
    SELECT 'account-differs', 'account ' || a.account_id, CASE WHEN c.changes = 0 THEN 'a change that opened it'
               ELSE 'closed from ' || coalesce(c.closed_from::text, 'never') END, 'closed from ' || coalesce(a.closed_from::text, 'never')
      FROM ledger.account a
      -- Closed from the day that the closing named: the first change since the account was last open.
     CROSS JOIN LATERAL (SELECT count(*) AS changes,
                                (array_agg(c.effective_from ORDER BY c.change_no) FILTER (WHERE c.is_closed AND c.change_no > coalesce((
                                    SELECT max(o.change_no) FROM ledger.account_change o
                                     WHERE o.account_id = a.account_id AND NOT o.is_closed), 0)))[1] AS closed_from
                           FROM ledger.account_change c WHERE c.account_id = a.account_id) c
     WHERE c.changes = 0 OR a.closed_from IS DISTINCT FROM c.closed_from;
END $$;

-- I-5: a period is what its last event made of it, events have no gap, and no head is open to a month that is closed.
CREATE OR REPLACE FUNCTION ledger.find_broken_periods() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH late AS MATERIALIZED (
        SELECT DISTINCT x.book_id, x.month
          FROM ledger.unsealed u, LATERAL (
               SELECT DISTINCT e.book_id, date_trunc('month', e.booking_date)::date AS month FROM ledger.journal_entry e
                WHERE e.subledger_id = u.subledger_id AND e.entry_no BETWEEN u.from_no AND u.to_no) x
    )
    SELECT 'period-differs', format('book %s, %s', p.book_id, to_char(p.month, 'YYYY-MM')),
           coalesce(e.to_state, 'an event') || ', without a gap before it',
           p.state || ', after ' || coalesce(e.events, 0) || ' events'
      FROM ledger.period p
      LEFT JOIN (SELECT DISTINCT ON (e.book_id, e.month) e.*, count(*) OVER (PARTITION BY e.book_id, e.month) AS events
                   FROM ledger.period_event e ORDER BY e.book_id, e.month, e.event_no DESC) e ON e.book_id = p.book_id AND e.month = p.month
     WHERE e.to_state IS DISTINCT FROM p.state OR e.event_no <> e.events
    UNION ALL
    SELECT 'gate-open', 'subledger ' || s.subledger_id, 'closed through ' || c.closed_through, 'closed through ' || s.closed_through
      FROM (SELECT p.book_id, (max(p.month) + interval '1 month' - interval '1 day')::date AS closed_through
              FROM ledger.period p WHERE p.state = 'closed' GROUP BY p.book_id) c
      JOIN ledger.subledger s ON s.book_id = c.book_id AND s.closed_through < c.closed_through
    UNION ALL
    -- Whatever a month held when it was closed was sealed by then; what came later went past the gate.
    SELECT 'entry-in-closed-period', format('book %s, %s', c.book_id, to_char(c.month, 'YYYY-MM')),
           'nothing booked after block ' || c.block_no,
           CASE WHEN x.block_no IS NULL THEN 'entries that are not sealed' ELSE 'totals of block ' || x.block_no END
      FROM (SELECT DISTINCT ON (e.book_id, e.month) e.book_id, e.month, e.to_state, coalesce(e.block_no, 0) AS block_no
              FROM ledger.period_event e ORDER BY e.book_id, e.month, e.event_no DESC) c
     CROSS JOIN LATERAL (
           SELECT DISTINCT t.block_no FROM ledger.seal_total t
            WHERE t.book_id = c.book_id AND t.block_no > c.block_no
              AND t.booking_date >= c.month AND t.booking_date < c.month + interval '1 month'
           UNION ALL
           SELECT NULL FROM late l WHERE l.book_id = c.book_id AND l.month = c.month) x
     WHERE c.to_state = 'closed'
    UNION ALL
    SELECT 'book-missing', 'subledger ' || s.subledger_id, 'a book that exists', 'book ' || s.book_id
      FROM ledger.subledger s WHERE NOT EXISTS (SELECT FROM ledger.book b WHERE b.book_id = s.book_id)
    UNION ALL
    SELECT 'subledger-missing', 'book ' || b.book_id, 'subledger ' || b.own_subledger_id || ' of its own', 'missing'
      FROM ledger.book b
     WHERE NOT EXISTS (SELECT FROM ledger.subledger s WHERE s.subledger_id = b.own_subledger_id AND s.book_id = b.book_id);
END $$;

-- I-4 and I-6: a reversal swaps the pairs of one earlier entry that is no reversal itself, once; and a request key is used once.
CREATE OR REPLACE FUNCTION ledger.find_broken_entries() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' SET enable_hashagg = off SET random_page_cost = 1 AS $$
BEGIN
    RETURN QUERY
    SELECT 'reversal-differs', format('subledger %s, entry %s', r.subledger_id, r.entry_no),
           format('the pairs of entry %s swapped', r.reverses_no),
           CASE WHEN o.entry_no IS NULL THEN 'no such entry' WHEN o.reverses_no IS NOT NULL THEN 'the reversal of a reversal'
                ELSE 'other pairs' END
      FROM ledger.journal_entry r
      LEFT JOIN ledger.journal_entry o ON o.subledger_id = r.subledger_id AND o.entry_no = r.reverses_no
     WHERE r.reverses_no IS NOT NULL
       AND (o.entry_no IS NULL OR o.reverses_no IS NOT NULL
            OR (SELECT array_agg(ROW (p.debit_account, p.credit_account, p.amount, p.currency) ORDER BY p.seq) FROM ledger.posting p
                 WHERE p.subledger_id = r.subledger_id AND p.entry_no = r.entry_no)
               IS DISTINCT FROM
               (SELECT array_agg(ROW (p.credit_account, p.debit_account, p.amount, p.currency) ORDER BY p.seq) FROM ledger.posting p
                 WHERE p.subledger_id = o.subledger_id AND p.entry_no = o.entry_no))
    UNION ALL
    SELECT 'reversed-twice', format('subledger %s, entry %s', r.subledger_id, r.reverses_no), 'one reversal', count(*) || ' reversals'
      FROM ledger.journal_entry r WHERE r.reverses_no IS NOT NULL
     GROUP BY r.subledger_id, r.reverses_no HAVING count(*) > 1
    UNION ALL
    SELECT 'request-key-repeated', 'subledger ' || e.subledger_id, 'one entry of request ' || e.request_key, count(*) || ' entries'
      FROM ledger.journal_entry e
     GROUP BY e.subledger_id, e.request_key HAVING count(*) > 1;
END $$;
