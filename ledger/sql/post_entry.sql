-- The one way into the journal: one round trip that takes the head, writes the header, the postings and the
-- balances in that order, and returns the entry's number. Everything rare is in a function of its own below.

-- The entry that a request key has already booked in this subledger, if it has: a replay, or another input.
CREATE OR REPLACE FUNCTION ledger.replayed_entry(
    p_subledger_id bigint, p_request_key text, p_fingerprint bytea,
    OUT o_entry_no integer, OUT o_booking_date date, OUT o_outcome text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.entry_no, e.booking_date, CASE WHEN e.fingerprint = p_fingerprint THEN 'replayed' ELSE 'differs' END
      FROM ledger.journal_entry e
     WHERE e.subledger_id = p_subledger_id AND e.request_key = p_request_key
$$;

-- Say why a head took no entry.
CREATE OR REPLACE FUNCTION ledger.refuse_head(p_subledger_id bigint, p_booking_date date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT s.frozen, s.closed_through, b.code, b.opened_on, coalesce(p_booking_date, b.business_date) AS booking_date INTO v
      FROM ledger.subledger s JOIN ledger.book b ON b.book_id = s.book_id WHERE s.subledger_id = p_subledger_id;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB009', jsonb_build_object('subledger_id', p_subledger_id));
    ELSIF v.frozen THEN
        PERFORM ledger.refuse('LB010', jsonb_build_object('subledger_id', p_subledger_id));
    ELSIF v.booking_date < v.opened_on THEN
        PERFORM ledger.refuse('LB008', jsonb_build_object('book', v.code, 'booking_date', v.booking_date, 'opened_on', v.opened_on));
    END IF;
    PERFORM ledger.refuse('LB007', jsonb_build_object('book', v.code, 'booking_date', v.booking_date,
                                                      'closed_through', v.closed_through));
END $$;

-- A booking date other than the business date: never ahead, and back only with a second person's approval into a
-- month that is not closed.
CREATE OR REPLACE FUNCTION ledger.check_booking_date(p_book_id integer, p_booking_date date, p_approved_by text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
    v_reason text;
BEGIN
    SELECT b.code, b.business_date, b.opened_on, p.state INTO v
      FROM ledger.book b
      LEFT JOIN ledger.period p ON p.book_id = b.book_id AND p.month = date_trunc('month', p_booking_date)::date
     WHERE b.book_id = p_book_id;
    IF p_booking_date < v.opened_on THEN
        PERFORM ledger.refuse('LB008', jsonb_build_object('book', v.code, 'booking_date', p_booking_date, 'opened_on', v.opened_on));
    END IF;
    v_reason := CASE
        WHEN p_booking_date > v.business_date THEN 'it lies ahead'
        WHEN v.state IS NULL THEN 'its month has no period'
        WHEN v.state NOT IN ('open', 'soft_closed') THEN 'its month is ' || v.state
        WHEN p_booking_date < v.business_date AND p_approved_by IS NULL THEN 'booking to an earlier day needs authority'
    END;
    IF v_reason IS NOT NULL THEN
        PERFORM ledger.refuse('LB018', jsonb_build_object('booking_date', p_booking_date,
            'business_date', v.business_date, 'reason', v_reason));
    END IF;
END $$;

-- A reversal undoes one entry of the same subledger, whole, by its pairs swapped, once; and is never undone itself.
CREATE OR REPLACE FUNCTION ledger.check_reversal(
    p_subledger_id bigint, p_reverses_no integer, p_debits integer[], p_credits integer[], p_amounts bigint[],
    p_currencies text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_original record;
    v_by integer;
BEGIN
    SELECT e.reverses_no, p.debits, p.credits, p.amounts, p.currencies INTO v_original
      FROM ledger.journal_entry e,
           LATERAL (SELECT array_agg(debit_account ORDER BY seq) AS debits, array_agg(credit_account ORDER BY seq) AS credits,
                           array_agg(amount ORDER BY seq) AS amounts, array_agg(currency ORDER BY seq) AS currencies
                      FROM ledger.posting p WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no) p
     WHERE e.subledger_id = p_subledger_id AND e.entry_no = p_reverses_no;
    IF NOT FOUND THEN
        PERFORM ledger.refuse('LB013', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', p_reverses_no));
    END IF;
    IF v_original.reverses_no IS NOT NULL THEN
        PERFORM ledger.refuse('LB014', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', p_reverses_no));
    END IF;
    SELECT e.entry_no INTO v_by FROM ledger.journal_entry e
     WHERE e.subledger_id = p_subledger_id AND e.reverses_no = p_reverses_no;
    IF FOUND THEN
        PERFORM ledger.refuse('LB012', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', p_reverses_no,
                                                          'reversed_by', v_by));
    END IF;
    IF (v_original.debits, v_original.credits, v_original.amounts, v_original.currencies)
       IS DISTINCT FROM (p_credits, p_debits, p_amounts, p_currencies) THEN
        PERFORM ledger.refuse('LB035', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', p_reverses_no));
    END IF;
END $$;

-- What an ordinary entry has no need of: a booking date of its own, a reversal, a correction, a journal by hand. An entry
-- that a request booked before is not checked again; its month may be closed by now.
CREATE OR REPLACE FUNCTION ledger.check_exceptional(
    p_subledger_id bigint, p_entry_no integer, p_book_id integer, p_request_key text, p_template text, p_booking_date date, p_actor text,
    p_approved_by text, p_debits integer[], p_credits integer[], p_amounts bigint[], p_currencies text[], p_reverses_no integer,
    p_corrects_no integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.journal_entry e WHERE e.subledger_id = p_subledger_id AND e.request_key = p_request_key) THEN
        RETURN;
    END IF;
    IF p_booking_date IS NOT NULL THEN
        PERFORM ledger.check_booking_date(p_book_id, p_booking_date, p_approved_by);
    END IF;
    IF p_reverses_no IS NOT NULL THEN
        PERFORM ledger.check_reversal(p_subledger_id, p_reverses_no, p_debits, p_credits, p_amounts, p_currencies);
    END IF;
    IF p_corrects_no >= p_entry_no OR p_corrects_no < 1 THEN
        PERFORM ledger.refuse('LB013', jsonb_build_object('subledger_id', p_subledger_id, 'entry_no', p_corrects_no));
    END IF;
    IF p_template = 'manual_journal' AND p_approved_by IS NULL THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', 'a manual journal', 'actor', p_actor, 'approver', NULL));
    END IF;
END $$;

-- Say which account of an entry may not be posted to, and why.
CREATE OR REPLACE FUNCTION ledger.refuse_accounts(
    p_book_id integer, p_booking_date date, p_manual boolean, p_accounts integer[], p_currencies text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
    v_book text := (SELECT b.code FROM ledger.book b WHERE b.book_id = p_book_id);
BEGIN
    FOR v IN SELECT t.account_id, t.currency AS given, a.*, b.code AS book
               FROM unnest(p_accounts, p_currencies) t (account_id, currency)
               LEFT JOIN ledger.account a ON a.account_id = t.account_id
               LEFT JOIN ledger.book b ON b.book_id = a.book_id LOOP
        IF v.code IS NULL THEN
            PERFORM ledger.refuse('LB001', jsonb_build_object('account', coalesce(v.account_id::text, '(none)')));
        ELSIF v.book_id <> p_book_id THEN
            PERFORM ledger.refuse('LB003', jsonb_build_object('account', v.code, 'book', v.book, 'expected_book', v_book));
        ELSIF v.header THEN
            PERFORM ledger.refuse('LB033', jsonb_build_object('account', v.code));
        ELSIF p_booking_date < v.opened_from THEN
            PERFORM ledger.refuse('LB034', jsonb_build_object('account', v.code, 'opened_from', v.opened_from, 'booking_date', p_booking_date));
        ELSIF v.closed_from <= p_booking_date THEN
            PERFORM ledger.refuse('LB002', jsonb_build_object('account', v.code, 'closed_on', v.closed_from, 'booking_date', p_booking_date));
        ELSIF v.currency <> v.given THEN
            PERFORM ledger.refuse('LB004', jsonb_build_object('account', v.code, 'currency', v.given, 'expected', v.currency));
        ELSIF v.control AND p_manual THEN
            PERFORM ledger.refuse('LB016', jsonb_build_object('account', v.code));
        END IF;
    END LOOP;
END $$;

-- Memorandum accounts balance among themselves: a posting with one on one side has one on the other.
CREATE OR REPLACE FUNCTION ledger.refuse_mixed_memoranda(p_debits integer[], p_credits integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT d.code AS debit, c.code AS credit INTO v
      FROM unnest(p_debits, p_credits) t (debit, credit)
      JOIN ledger.account d ON d.account_id = t.debit JOIN ledger.account c ON c.account_id = t.credit
     WHERE (d.type = 'off_balance') <> (c.type = 'off_balance') LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB036', to_jsonb(v));
    END IF;
END $$;

-- Some balances of one currency did not move: those without a row get one, and one that would turn to the other side
-- is refused. The postings are written, so a balance that moved agrees with them, and the one to name does not.
CREATE OR REPLACE FUNCTION ledger.open_balances(
    p_subledger_id bigint, p_currency text, p_accounts integer[], p_changes bigint[], p_moved integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_opened integer;
    v_bad record;
BEGIN
    INSERT INTO ledger.account_balance (subledger_id, account_id, currency, balance, may_go_contra)
    SELECT p_subledger_id, m.account_id, p_currency, m.change, a.may_go_contra
      FROM unnest(p_accounts, p_changes) m (account_id, change)
      JOIN ledger.account a ON a.account_id = m.account_id
     WHERE (m.change >= 0 OR a.may_go_contra)
       AND NOT EXISTS (SELECT FROM ledger.account_balance b
                        WHERE b.subledger_id = p_subledger_id AND b.account_id = m.account_id AND b.currency = p_currency);
    GET DIAGNOSTICS v_opened = ROW_COUNT;
    IF p_moved + v_opened = cardinality(p_accounts) THEN
        RETURN;
    END IF;
    SELECT a.code AS account, coalesce(b.balance, 0) AS balance, m.change INTO v_bad
      FROM unnest(p_accounts, p_changes) m (account_id, change)
      JOIN ledger.account a ON a.account_id = m.account_id
      LEFT JOIN ledger.account_balance b
        ON b.subledger_id = p_subledger_id AND b.account_id = m.account_id AND b.currency = p_currency
     CROSS JOIN LATERAL (
           SELECT sum(CASE WHEN (p.debit_account = m.account_id) = (a.normal_side = 'debit') THEN p.amount ELSE -p.amount END) AS balance
             FROM ledger.posting p
            WHERE p.subledger_id = p_subledger_id AND p.currency = p_currency AND m.account_id IN (p.debit_account, p.credit_account)) posted
     WHERE m.change < 0 AND NOT a.may_go_contra
     ORDER BY coalesce(b.balance, 0) = posted.balance, m.account_id LIMIT 1;
    PERFORM ledger.refuse('LB015', jsonb_build_object('subledger_id', p_subledger_id, 'currency', p_currency) || to_jsonb(v_bad));
END $$;

-- The balances of an entry in several currencies, one currency after the other, from the postings that were just written.
CREATE OR REPLACE FUNCTION ledger.move_balances_by_currency(p_subledger_id bigint, p_entry_no integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
    v_rows integer;
BEGIN
    FOR v IN SELECT m.currency, array_agg(m.account_id ORDER BY m.account_id) AS accounts, array_agg(m.change ORDER BY m.account_id) AS changes
               FROM (SELECT p.currency, a.account_id,
                            sum(CASE WHEN (p.debit_account = a.account_id) = (a.normal_side = 'debit') THEN p.amount ELSE -p.amount END)::bigint AS change
                       FROM ledger.posting p JOIN ledger.account a ON a.account_id IN (p.debit_account, p.credit_account) AND a.subledgered
                      WHERE p.subledger_id = p_subledger_id AND p.entry_no = p_entry_no
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

-- Name the first posting of an entry that is not in the only currency that its subledger takes.
CREATE OR REPLACE FUNCTION ledger.refuse_currency(p_subledger_id bigint, p_expected text, p_debits integer[], p_currencies text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT a.code, t.currency INTO v
      FROM unnest(p_debits, p_currencies) WITH ORDINALITY t (debit, currency, seq)
      LEFT JOIN ledger.account a ON a.account_id = t.debit
     WHERE t.currency IS DISTINCT FROM p_expected ORDER BY t.seq LIMIT 1;
    PERFORM ledger.refuse('LB004', jsonb_build_object('account', v.code || ' in subledger ' || p_subledger_id,
        'currency', v.currency, 'expected', p_expected));
END $$;

CREATE OR REPLACE FUNCTION ledger.post_entry(
    p_subledger_id bigint, p_request_key text, p_fingerprint bytea, p_template text, p_template_version integer,
    p_effective_date date, p_booking_date date, p_actor text, p_approved_by text,
    p_debits integer[], p_credits integer[], p_amounts bigint[], p_currencies text[],
    p_narration text, p_source_ref text, p_reverses_no integer, p_corrects_no integer, p_group_id bigint, p_details jsonb,
    OUT o_entry_no integer, OUT o_booking_date date, OUT o_outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Every statement finds its rows by their key, so it is planned once, however many rows a table had then.
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_count integer := cardinality(p_debits);
    v_book_id integer;
    v_own_currency text;
    v_known integer[];     -- every account of the entry that may be posted to
    v_moved integer[];     -- those whose balance here moves, and by how much
    v_changes bigint[];
    v_one_currency boolean;
    v_memoranda boolean;
    v_rows integer;
BEGIN
    -- A snapshot older than the head's lock could read a gate that has been closed since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LB017', jsonb_build_object('level', current_setting('transaction_isolation')));
    END IF;
    IF v_count IS NULL OR v_count = 0
       OR (cardinality(p_credits) = v_count AND cardinality(p_amounts) = v_count AND cardinality(p_currencies) = v_count) IS NOT TRUE THEN
        PERFORM ledger.refuse('LB019');
    END IF;

    UPDATE ledger.subledger s SET last_entry_no = s.last_entry_no + 1
      FROM ledger.book b
     WHERE s.subledger_id = p_subledger_id AND b.book_id = s.book_id AND NOT s.frozen
       AND s.closed_through < coalesce(p_booking_date, b.business_date)
    RETURNING s.last_entry_no, s.book_id, s.currency, coalesce(p_booking_date, b.business_date)
      INTO o_entry_no, v_book_id, v_own_currency, o_booking_date;
    IF NOT FOUND THEN
        SELECT * INTO o_entry_no, o_booking_date, o_outcome
          FROM ledger.replayed_entry(p_subledger_id, p_request_key, p_fingerprint) r WHERE r.o_entry_no IS NOT NULL;
        IF NOT FOUND THEN
            PERFORM ledger.refuse_head(p_subledger_id, p_booking_date);
        END IF;
        RETURN;
    END IF;
    IF p_booking_date IS NOT NULL OR p_reverses_no IS NOT NULL OR p_corrects_no IS NOT NULL OR p_template = 'manual_journal' THEN
        PERFORM ledger.check_exceptional(p_subledger_id, o_entry_no, v_book_id, p_request_key, p_template, p_booking_date, p_actor,
            p_approved_by, p_debits, p_credits, p_amounts, p_currencies, p_reverses_no, p_corrects_no);
    END IF;

    INSERT INTO ledger.journal_entry (subledger_id, entry_no, book_id, template, template_version, effective_date, booking_date,
        actor, approved_by, request_key, fingerprint, source_ref, reverses_no, corrects_no, group_id, narration, details, posting_count)
    VALUES (p_subledger_id, o_entry_no, v_book_id, p_template, p_template_version, p_effective_date, o_booking_date,
        p_actor, p_approved_by, p_request_key, p_fingerprint, p_source_ref, p_reverses_no, p_corrects_no, p_group_id, p_narration,
        p_details, v_count)
    ON CONFLICT (subledger_id, request_key) DO NOTHING;
    IF NOT FOUND THEN
        -- The key came before: give the number back and return what it booked.
        UPDATE ledger.subledger s SET last_entry_no = s.last_entry_no - 1 WHERE s.subledger_id = p_subledger_id;
        SELECT * INTO o_entry_no, o_booking_date, o_outcome
          FROM ledger.replayed_entry(p_subledger_id, p_request_key, p_fingerprint);
        RETURN;
    END IF;

    -- Amounts of several currencies are never added up, not even on the way: they move below, each by itself.
    v_one_currency := p_currencies[1] = ALL (p_currencies);
    SELECT array_agg(a.account_id), bool_or(a.type = 'off_balance'),
           array_agg(a.account_id) FILTER (WHERE a.subledgered AND m.change <> 0),
           array_agg(m.change) FILTER (WHERE a.subledgered AND m.change <> 0)
      INTO v_known, v_memoranda, v_moved, v_changes
      FROM ledger.account a
     CROSS JOIN LATERAL (
           SELECT sum(CASE WHEN (t.debit = a.account_id) = (a.normal_side = 'debit') THEN t.amount ELSE -t.amount END)::bigint AS change
             FROM unnest(p_debits, p_credits, p_amounts) t (debit, credit, amount)
            WHERE v_one_currency AND (t.debit = a.account_id OR t.credit = a.account_id)) m
     WHERE a.account_id = ANY (p_debits || p_credits) AND a.book_id = v_book_id AND NOT a.header
       AND a.opened_from <= o_booking_date AND (a.closed_from IS NULL OR a.closed_from > o_booking_date)
       AND (a.currency IS NULL OR a.currency = ANY (p_currencies)) AND NOT (a.control AND p_template = 'manual_journal');
    IF v_known IS NULL OR NOT (p_debits <@ v_known AND p_credits <@ v_known) OR NOT v_one_currency THEN
        PERFORM ledger.refuse_accounts(v_book_id, o_booking_date, p_template = 'manual_journal', p_debits || p_credits,
                                       p_currencies || p_currencies);
    END IF;
    IF NOT (v_own_currency = ALL (p_currencies)) THEN
        PERFORM ledger.refuse_currency(p_subledger_id, v_own_currency, p_debits, p_currencies);
    END IF;
    IF v_memoranda THEN
        PERFORM ledger.refuse_mixed_memoranda(p_debits, p_credits);
    END IF;

    -- Rows written out are the quickest, and a distributed engine keeps them on one machine.
    IF v_count = 1 THEN
        INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
        VALUES (p_subledger_id, o_entry_no, 1, 1, p_debits[1], p_credits[1], p_amounts[1], p_currencies[1], o_booking_date);
    ELSIF v_count = 2 THEN
        INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
        VALUES (p_subledger_id, o_entry_no, 1, 2, p_debits[1], p_credits[1], p_amounts[1], p_currencies[1], o_booking_date),
               (p_subledger_id, o_entry_no, 2, 2, p_debits[2], p_credits[2], p_amounts[2], p_currencies[2], o_booking_date);
    ELSE
        INSERT INTO ledger.posting (subledger_id, entry_no, seq, posting_count, debit_account, credit_account, amount, currency, booking_date)
        SELECT p_subledger_id, o_entry_no, t.seq, v_count, t.debit, t.credit, t.amount, t.currency, o_booking_date
          FROM unnest(p_debits, p_credits, p_amounts, p_currencies) WITH ORDINALITY t (debit, credit, amount, currency, seq);
    END IF;

    IF NOT v_one_currency THEN
        PERFORM ledger.move_balances_by_currency(p_subledger_id, o_entry_no);
    ELSIF v_moved IS NOT NULL THEN
        UPDATE ledger.account_balance b SET balance = b.balance + v_changes[array_position(v_moved, b.account_id)]
         WHERE b.subledger_id = p_subledger_id AND b.account_id = ANY (v_moved) AND b.currency = p_currencies[1]
           AND (b.may_go_contra OR b.balance + v_changes[array_position(v_moved, b.account_id)] >= 0);
        GET DIAGNOSTICS v_rows = ROW_COUNT;
        IF v_rows <> cardinality(v_moved) THEN
            PERFORM ledger.open_balances(p_subledger_id, p_currencies[1], v_moved, v_changes, v_rows);
        END IF;
    END IF;
    o_outcome := 'posted';
END $$;
