-- The interest of many loans at once, by the same exact arithmetic as servicing/outlook.py and servicing/accrual.py.

-- A non-negative amount of minor units, numerator / denominator, rounded as servicing.accrual.rounded does it.
CREATE OR REPLACE FUNCTION servicing.rounded(p_numerator numeric, p_denominator numeric, p_mode text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE p_mode
    WHEN 'half_up' THEN div(2 * p_numerator + p_denominator, 2 * p_denominator)
    WHEN 'half_even' THEN div(2 * p_numerator + p_denominator, 2 * p_denominator)
        - CASE WHEN mod(2 * p_numerator + p_denominator, 2 * p_denominator) = 0
               THEN mod(div(2 * p_numerator + p_denominator, 2 * p_denominator), 2) ELSE 0 END
    WHEN 'up' THEN div(p_numerator + p_denominator - 1, p_denominator)
    WHEN 'down' THEN div(p_numerator, p_denominator)
END;

-- The interest that a loan has earned by a day and is not on its books yet, in minor units, below zero if the books are ahead:
-- what was earned when its standing was made, and since then so many nights on its balance; less what was booked by then, and
-- by how much the receivable has grown since.
CREATE OR REPLACE FUNCTION servicing.unbooked_interest(
    p_earned numeric, p_nightly numeric, p_denominator numeric, p_rounding text, p_balance bigint, p_nights integer,
    p_booked bigint, p_receivable_then bigint, p_receivable_now bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN servicing.rounded(p_earned + p_balance * p_nightly * p_nights, p_denominator, p_rounding)
       - p_booked - (p_receivable_now - p_receivable_then);

-- How many months the month of a day lies after that of an earlier one.
CREATE OR REPLACE FUNCTION servicing.months_between(p_from date, p_to date) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12 * (extract(year FROM p_to) - extract(year FROM p_from))::integer
       + (extract(month FROM p_to) - extract(month FROM p_from))::integer;

-- Close a day for the loans p_first..p_last to which it brings interest, or at a month end origination fee income, and nothing else:
-- move their marks, which locks them, and stage the interest that they have earned and not booked, and the fee that becomes income.
-- The interest of a loan in non-accrual, whose account of it is p_memo, is staged as a memorandum; without p_memo it is left alone.
-- What happened to a loan while its lock was waited for has made its
-- standing anew; such loans are counted, and the caller begins again. Everything is read in the order of the loans.
CREATE OR REPLACE FUNCTION servicing.close_day(
    p_book_id integer, p_first bigint, p_last bigint, p_day date, p_is_month_end boolean, p_receivable integer, p_principal integer,
    p_income integer, p_batch_id bigint, p_deferred_fee integer, p_fee_income integer, p_fee_batch_id bigint, p_memo integer,
    p_memo_contra integer, p_memo_batch_id bigint,
    OUT o_closed integer, OUT o_overtaken integer, OUT o_staged integer, OUT o_fees_staged integer, OUT o_memos_staged integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
-- Whatever the statistics say, a chunk is a range of each table's key.
SET enable_nestloop = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
    UPDATE servicing.loan l SET fees_through = p_day
      FROM servicing.standing s
     WHERE s.loan_id = l.loan_id AND l.loan_id BETWEEN p_first AND p_last AND s.loan_id BETWEEN p_first AND p_last
       AND l.book_id + 0 = p_book_id AND (l.fees_through IS NULL OR l.fees_through < p_day)
       AND greatest(l.fees_through, s.through) >= p_day - 1
       AND s.is_open AND p_day < s.next_step_on AND p_day <= s.holds_through
       AND s.receivable_account IN (p_receivable, p_memo) AND s.principal_account = p_principal;
    GET DIAGNOSTICS o_closed = ROW_COUNT;
    IF o_closed = 0 THEN
        o_overtaken := 0;
        o_staged := 0;
        o_fees_staged := 0;
        o_memos_staged := 0;
        RETURN;
    END IF;
    WITH found AS (
        SELECT s.loan_id, l.currency, s.is_daily OR p_is_month_end AS is_booked,
               p_day < s.next_step_on AND p_day <= s.holds_through AND s.principal_account = p_principal
                   AND coalesce(s.receivable_account IN (p_receivable, p_memo), false) AS holds,
               s.receivable_account = p_receivable AS is_income,
               servicing.unbooked_interest(s.earned, s.nightly, s.denominator, s.rounding, coalesce(s.balance, b.principal, 0),
                   p_day - s.through, s.booked, s.receivable,
                   coalesce(CASE WHEN s.receivable_account = p_receivable THEN b.receivable ELSE b.memo END, 0)) AS interest,
               CASE WHEN p_is_month_end AND s.fee_income IS NOT NULL
                    THEN s.fee_income[1 + servicing.months_between(s.through + 1, p_day)] END AS fee
          FROM servicing.standing s
          JOIN servicing.loan l ON l.loan_id = s.loan_id AND l.loan_id BETWEEN p_first AND p_last
          LEFT JOIN (SELECT a.subledger_id, max(a.balance) FILTER (WHERE a.account_id = p_principal) AS principal,
                            max(a.balance) FILTER (WHERE a.account_id = p_receivable) AS receivable,
                            max(a.balance) FILTER (WHERE a.account_id = p_memo) AS memo
                       FROM ledger.account_balance a
                      WHERE a.subledger_id BETWEEN p_first AND p_last AND a.account_id IN (p_principal, p_receivable, p_memo)
                      GROUP BY a.subledger_id) b ON b.subledger_id = s.loan_id
         WHERE s.loan_id BETWEEN p_first AND p_last AND l.book_id + 0 = p_book_id AND l.fees_through = p_day
           AND s.through < p_day AND s.is_open
    ), staged AS (
        INSERT INTO ledger.batch_staging (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency)
        SELECT f.loan_id, f.interest, p_batch_id, p_receivable, p_income, 1, f.currency
          FROM found f WHERE f.holds AND f.is_income AND f.is_booked AND f.interest > 0 RETURNING 1
    ), memos_staged AS (
        INSERT INTO ledger.batch_staging (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency)
        SELECT f.loan_id, f.interest, p_memo_batch_id, p_memo, p_memo_contra, 1, f.currency
          FROM found f WHERE f.holds AND NOT f.is_income AND f.is_booked AND f.interest > 0 RETURNING 1
    ), fees_staged AS (
        INSERT INTO ledger.batch_staging (subledger_id, amount, batch_id, debit_account, credit_account, seq, currency)
        SELECT f.loan_id, f.fee, p_fee_batch_id, p_deferred_fee, p_fee_income, 1, f.currency
          FROM found f WHERE f.holds AND f.fee > 0 RETURNING 1
    )
    SELECT count(*) FILTER (WHERE NOT f.holds), (SELECT count(*) FROM staged), (SELECT count(*) FROM fees_staged),
           (SELECT count(*) FROM memos_staged)
      INTO o_overtaken, o_staged, o_fees_staged, o_memos_staged FROM found f;
END $$;
