-- Sealing. Numbers of a subledger have no gap and are given under the lock of its head, so whatever a head says is
-- complete: entries up to last_entry_no are there in the same snapshot or a later one, and nothing arrives late among
-- them. No head is locked, and posters wait for nothing here.

CREATE OR REPLACE VIEW ledger.unsealed AS
SELECT s.subledger_id, coalesce(m.sealed_no, 0) + 1 AS from_no, s.last_entry_no AS to_no, m.digest AS previous
  FROM ledger.subledger s LEFT JOIN ledger.seal_mark m ON m.subledger_id = s.subledger_id
 WHERE s.last_entry_no > coalesce(m.sealed_no, 0);

-- What is due, if it is little beside the whole journal; null if it is much.
CREATE OR REPLACE FUNCTION ledger.few_unsealed() RETURNS ledger.unsealed[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
DECLARE
    v_due ledger.unsealed[] := ARRAY(SELECT u FROM ledger.unsealed u LIMIT 20001);
BEGIN
    IF cardinality(v_due) <= 20000 THEN
        RETURN v_due;
    ELSIF (SELECT sum(s.last_entry_no - coalesce(m.sealed_no, 0)) * 4 > sum(s.last_entry_no)
             FROM ledger.subledger s LEFT JOIN ledger.seal_mark m ON m.subledger_id = s.subledger_id) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(SELECT u FROM ledger.unsealed u);
END $$;

-- A query over a run of subledgers, repeated for runs of about equal length that parallel workers share out: in its text
-- %1$s is the id before the run and %2$s the last one in it. One run will do where there is little to read.
CREATE OR REPLACE FUNCTION ledger.in_runs(p_query text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_pages bigint := pg_relation_size('ledger.subledger') / current_setting('block_size')::integer;
    v_cuts bigint[];
BEGIN
    IF pg_relation_size('ledger.journal_entry') > 4 * 1024 * 1024 AND v_pages > 0 THEN
        SELECT percentile_disc(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY s.subledger_id) INTO v_cuts
          FROM ledger.subledger s TABLESAMPLE SYSTEM (least(100, 20000.0 / v_pages));
    END IF;
    RETURN (SELECT string_agg(format(p_query, cut, next_cut), ' UNION ALL ')
              FROM (SELECT cut, lead(cut) OVER (ORDER BY cut) AS next_cut
                      FROM (SELECT unnest(v_cuts) UNION VALUES (-9223372036854775808), (9223372036854775807)) c (cut)
                     WHERE cut IS NOT NULL) run
             WHERE next_cut IS NOT NULL);
END $$;

-- Few: one index descent for each subledger and each entry, however long the history.
CREATE OR REPLACE FUNCTION ledger.few_members(p_due ledger.unsealed[]) RETURNS TABLE (
    subledger_id bigint, from_no integer, to_no integer, is_first boolean, entry_count bigint, posting_count bigint, whole boolean,
    digest bytea)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' AS $$
    SELECT d.subledger_id, d.from_no, d.to_no, d.previous IS NULL, x.entries, x.postings, x.whole,
           sha256('\x01'::bytea || ledger.member_record(d.subledger_id, d.from_no, d.to_no, d.previous) || coalesce(x.leaves, ''::bytea))
      FROM unnest(p_due) d, LATERAL (
           SELECT string_agg(y.leaf, NULL) AS leaves, count(*) AS entries, sum(y.postings)::bigint AS postings, bool_and(y.whole) AS whole
             FROM (SELECT sha256('\x01'::bytea || ledger.entry_record(e) || q.bytes) AS leaf, q.postings,
                          (q.postings, q.lowest, q.highest) = (e.posting_count, 1, e.posting_count) AS whole
                     FROM ledger.journal_entry e, LATERAL (
                          SELECT string_agg(ledger.posting_record(o), NULL) AS bytes, count(*) AS postings,
                                 min(o.seq) AS lowest, max(o.seq) AS highest
                            FROM (SELECT p.* FROM ledger.posting p
                                   WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no ORDER BY p.seq) o) q
                    WHERE e.subledger_id = d.subledger_id AND e.entry_no BETWEEN d.from_no AND d.to_no
                    ORDER BY e.entry_no) y) x
$$;

CREATE OR REPLACE FUNCTION ledger.few_totals(p_due ledger.unsealed[]) RETURNS TABLE (
    book_id integer, debit_account integer, credit_account integer, currency text, booking_date date, effective_date date,
    amount numeric, posting_count bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT x.book_id, x.debit_account, x.credit_account, x.currency, x.booking_date, x.effective_date, sum(x.amount),
           sum(x.postings)::bigint
      FROM unnest(p_due) d, LATERAL (
           SELECT e.book_id, p.debit_account, p.credit_account, p.currency, p.booking_date, e.effective_date, sum(p.amount) AS amount,
                  count(*) AS postings
             FROM ledger.journal_entry e JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
            WHERE e.subledger_id = d.subledger_id AND e.entry_no BETWEEN d.from_no AND d.to_no
            GROUP BY e.book_id, p.debit_account, p.credit_account, p.currency, p.booking_date, e.effective_date) x
     GROUP BY x.book_id, x.debit_account, x.credit_account, x.currency, x.booking_date, x.effective_date
$$;

-- Many: the whole journal in the order of its keys, merged, in runs of subledgers that parallel workers share out. Heads
-- are read again for the totals; both functions are STABLE and called by one statement, so that they see the same heads.
CREATE OR REPLACE FUNCTION ledger.many_members() RETURNS TABLE (
    subledger_id bigint, from_no integer, to_no integer, is_first boolean, entry_count bigint, posting_count bigint, whole boolean,
    digest bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8'
SET enable_nestloop = off SET enable_hashjoin = off SET enable_hashagg = off SET random_page_cost = 1 SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY EXECUTE ledger.in_runs($run$
    SELECT g.subledger_id, g.from_no, g.to_no, g.previous IS NULL, g.entries, g.postings, g.whole,
           sha256('\x01'::bytea || ledger.member_record(g.subledger_id, g.from_no, g.to_no, g.previous) || g.leaves)
      FROM (SELECT y.subledger_id, min(y.from_no) AS from_no, max(y.to_no) AS to_no, string_agg(y.previous, NULL) AS previous,
                   string_agg(y.leaf, NULL) AS leaves, count(*) AS entries, sum(y.postings)::bigint AS postings, bool_and(y.whole) AS whole
              FROM (SELECT e.subledger_id, u.from_no, u.to_no, CASE WHEN e.entry_no = u.from_no THEN u.previous END AS previous,
                           sha256('\x01'::bytea || ledger.entry_record(e) || q.bytes) AS leaf, q.postings,
                           (q.postings, q.lowest, q.highest) = (e.posting_count, 1, e.posting_count) AS whole
                      FROM ledger.unsealed u
                      JOIN ledger.journal_entry e ON e.subledger_id = u.subledger_id AND e.entry_no BETWEEN u.from_no AND u.to_no
                      JOIN (SELECT o.subledger_id, o.entry_no, string_agg(ledger.posting_record(o), NULL) AS bytes, count(*) AS postings,
                                   min(o.seq) AS lowest, max(o.seq) AS highest
                              FROM (SELECT p.* FROM ledger.posting p WHERE p.subledger_id > %1$s AND p.subledger_id <= %2$s
                                     ORDER BY p.subledger_id, p.entry_no, p.seq) o
                             GROUP BY o.subledger_id, o.entry_no) q ON q.subledger_id = e.subledger_id AND q.entry_no = e.entry_no
                     WHERE u.subledger_id > %1$s AND u.subledger_id <= %2$s AND e.subledger_id > %1$s AND e.subledger_id <= %2$s
                     ORDER BY e.subledger_id, e.entry_no) y
             GROUP BY y.subledger_id) g$run$);
END $$;

CREATE OR REPLACE FUNCTION ledger.many_totals() RETURNS TABLE (
    book_id integer, debit_account integer, credit_account integer, currency text, booking_date date, effective_date date,
    amount numeric, posting_count bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET work_mem = '64MB' AS $$
    SELECT e.book_id, p.debit_account, p.credit_account, p.currency, p.booking_date, e.effective_date, sum(p.amount), count(*)
      FROM ledger.unsealed u
      JOIN ledger.journal_entry e ON e.subledger_id = u.subledger_id AND e.entry_no BETWEEN u.from_no AND u.to_no
      JOIN ledger.posting p ON p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no
     GROUP BY e.book_id, p.debit_account, p.credit_account, p.currency, p.booking_date, e.effective_date
$$;

-- Say which entry cannot be sealed, and why.
CREATE OR REPLACE FUNCTION ledger.refuse_seal(p_block_no bigint, p_reason text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_reason text := p_reason;
BEGIN
    IF v_reason IS NULL THEN
        SELECT CASE WHEN e.entry_no IS NULL THEN format('entry %s of subledger %s is missing', n.entry_no, u.subledger_id)
                    WHEN e.posting_count <> q.postings THEN
                        format('entry %s of subledger %s declares %s postings but has %s',
                               n.entry_no, u.subledger_id, e.posting_count, q.postings)
                    ELSE format('entry %s of subledger %s numbers its %s postings from %s to %s',
                                n.entry_no, u.subledger_id, q.postings, q.lowest, q.highest) END
          INTO v_reason
          FROM (SELECT m.subledger_id, m.from_no, m.to_no FROM ledger.seal_member m WHERE m.block_no = p_block_no
                UNION ALL SELECT d.subledger_id, d.from_no, d.to_no FROM ledger.unsealed d) u
         CROSS JOIN LATERAL generate_series(u.from_no, u.to_no) n (entry_no)
          LEFT JOIN ledger.journal_entry e ON e.subledger_id = u.subledger_id AND e.entry_no = n.entry_no
         CROSS JOIN LATERAL (SELECT count(*) AS postings, min(p.seq) AS lowest, max(p.seq) AS highest FROM ledger.posting p
                              WHERE p.subledger_id = u.subledger_id AND p.entry_no = n.entry_no) q
         WHERE e.entry_no IS NULL
            OR (q.postings, q.lowest, q.highest) IS DISTINCT FROM (e.posting_count::bigint, 1::smallint, e.posting_count)
         ORDER BY u.subledger_id, n.entry_no LIMIT 1;
    END IF;
    PERFORM ledger.refuse('LB028', jsonb_build_object('block_no', p_block_no,
        'reason', coalesce(v_reason, 'members and totals count different postings')));
END $$;

-- Seal every entry that is not sealed yet in one more block, and return its number, or null if there was none.
CREATE OR REPLACE FUNCTION ledger.seal() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' SET work_mem = '64MB' AS $$
DECLARE
    v_last ledger.seal_block;
    v_block ledger.seal_block;
    v_few ledger.unsealed[];
    v_sound boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        PERFORM ledger.refuse('LB017', jsonb_build_object('level', current_setting('transaction_isolation')));
    END IF;
    -- Only so that a second sealer does not do the same work for nothing: what forbids sealing twice are the primary keys.
    PERFORM pg_advisory_xact_lock(x'10A25EA1'::integer);
    v_few := ledger.few_unsealed();
    IF v_few = '{}' THEN
        RETURN NULL;
    END IF;
    SELECT b.* INTO v_last FROM ledger.seal_block b ORDER BY b.block_no DESC LIMIT 1;
    IF v_last.block_hash <> ledger.block_digest(v_last) THEN
        PERFORM ledger.refuse_seal(v_last.block_no, 'it was altered; nothing is sealed on top of it');
    END IF;
    v_block.block_no := coalesce(v_last.block_no, 0) + 1;
    v_block.previous_hash := v_last.block_hash;

    BEGIN
        WITH member AS MATERIALIZED (
            SELECT b.*, row_number() OVER (ORDER BY b.subledger_id) - 1 AS place
              FROM (SELECT f.* FROM ledger.few_members(v_few) f
                    UNION ALL SELECT m.* FROM ledger.many_members() m WHERE v_few IS NULL) b
        ), pair AS MATERIALIZED (
            SELECT f.* FROM ledger.few_totals(v_few) f UNION ALL SELECT m.* FROM ledger.many_totals() m WHERE v_few IS NULL
        ), added_members AS (
            INSERT INTO ledger.seal_member (subledger_id, block_no, from_no, to_no, digest)
            SELECT m.subledger_id, v_block.block_no, m.from_no, m.to_no, m.digest FROM member m
        ), moved_marks AS (
            UPDATE ledger.seal_mark k SET sealed_no = m.to_no, digest = m.digest
              FROM member m WHERE NOT m.is_first AND k.subledger_id = m.subledger_id
        ), added_marks AS (
            INSERT INTO ledger.seal_mark (subledger_id, sealed_no, digest)
            SELECT m.subledger_id, m.to_no, m.digest FROM member m WHERE m.is_first
        ), total AS MATERIALIZED (
            SELECT v_block.block_no, p.book_id, side.account_id, p.currency, p.booking_date, p.effective_date,
                   sum(side.debit) AS debit, sum(side.credit) AS credit
              FROM pair p, LATERAL (VALUES (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount)) side (account_id, debit, credit)
             GROUP BY p.book_id, side.account_id, p.currency, p.booking_date, p.effective_date
        ), added_totals AS (
            INSERT INTO ledger.seal_total (block_no, book_id, account_id, currency, booking_date, effective_date, debit, credit)
            SELECT t.* FROM total t
            RETURNING seal_total
        ), added_activity AS (
            INSERT INTO ledger.activity AS a (book_id, account_id, currency, booking_date, effective_date, debit, credit)
            SELECT t.book_id, t.account_id, t.currency, t.booking_date, t.effective_date, t.debit, t.credit FROM total t
            ON CONFLICT (book_id, account_id, currency, booking_date, effective_date)
            DO UPDATE SET debit = a.debit + excluded.debit, credit = a.credit + excluded.credit
        ), subtree AS (
            -- A million leaves at a time: perfect subtrees but for the last, so the fold over their roots is the same root.
            SELECT m.place >> 20 AS place, ledger.merkle_fold(string_agg(sha256('\x00'::bytea
                       || ledger.member_record(m.subledger_id, m.from_no, m.to_no, m.digest)), NULL ORDER BY m.place)) AS hash
              FROM member m GROUP BY 1
        )
        SELECT coalesce(cardinality(v_few), (SELECT count(*) FROM ledger.unsealed)) = count(*)
                   AND bool_and(m.whole AND m.entry_count = m.to_no - m.from_no + 1)
                   AND sum(m.posting_count) = (SELECT sum(p.posting_count) FROM pair p),
               count(*), sum(m.entry_count), sum(m.posting_count),
               (SELECT ledger.merkle_fold(string_agg(s.hash, NULL ORDER BY s.place)) FROM subtree s),
               (SELECT sha256(string_agg(ledger.total_record(a.seal_total), NULL
                       ORDER BY (a.seal_total).book_id, (a.seal_total).account_id, (a.seal_total).currency COLLATE "C",
                                (a.seal_total).booking_date, (a.seal_total).effective_date)) FROM added_totals a)
          INTO v_sound, v_block.member_count, v_block.entry_count, v_block.posting_count, v_block.merkle_root, v_block.totals_digest
          FROM member m;
    EXCEPTION WHEN unique_violation THEN
        -- Another sealer, on another coordinator, was quicker; or a mark says less than the members do.
        IF EXISTS (SELECT FROM ledger.seal_block b WHERE b.block_no >= v_block.block_no) THEN
            RAISE serialization_failure USING MESSAGE = 'block ' || v_block.block_no || ' was sealed meanwhile';
        END IF;
        PERFORM ledger.refuse_seal(v_block.block_no, 'an entry is sealed already that its mark says is not');
    END;
    IF v_sound IS NOT TRUE THEN
        PERFORM ledger.refuse_seal(v_block.block_no);
    END IF;

    SELECT coalesce(max(c.change_no), 0), coalesce((array_agg(c.digest ORDER BY c.change_no DESC))[1], sha256(''::bytea))
      INTO v_block.chart_no, v_block.chart_digest FROM ledger.account_change c;
    -- Blocks are told apart by the moment of their sealing, so it never goes back, whatever the clock does.
    v_block.sealed_at := greatest(clock_timestamp(), v_last.sealed_at + interval '1 microsecond');
    v_block.block_hash := ledger.block_digest(v_block);
    INSERT INTO ledger.seal_block SELECT (v_block).*;
    RETURN v_block.block_no;
END $$;
