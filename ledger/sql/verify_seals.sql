-- What an auditor recomputes: every function returns the rows that do not hold, none if all is well. Written so that each
-- table is read once and in bulk; only what looks wrong is looked at closely. None of them changes anything or waits.

-- Every entry and posting against the digests of its subledger's members; heads, marks and numbers without a gap (I-2, I-10).
CREATE OR REPLACE FUNCTION ledger.find_broken_members() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8'
SET enable_nestloop = off SET enable_hashjoin = off SET enable_hashagg = off SET random_page_cost = 1 SET work_mem = '64MB' AS $$
BEGIN
    -- DISTINCT is there for the planner's sake: it hands a run to one worker, rather than halves of it to all.
    RETURN QUERY EXECUTE 'WITH suspect AS MATERIALIZED (' || ledger.in_runs($run$
    SELECT DISTINCT r.* FROM (
        SELECT h.subledger_id, h.book_id, h.last_entry_no, j.entries, j.lowest, j.highest, j.broken, j.first_book, j.last_book,
               m.block_no, m.from_no, m.to_no, m.digest, q.digest AS previous, q.block_no AS previous_block,
               l.to_no AS latest_no, k.sealed_no, k.digest AS mark_digest,
               CASE WHEN j.lowest = 1 AND j.highest = j.entries AND m.to_no <= j.entries AND m.from_no <= m.to_no THEN
                   sha256('\x01'::bytea || ledger.member_record(m.subledger_id, m.from_no, m.to_no, q.digest)
                          || substr(j.leaves, 32 * m.from_no - 31, 32 * (m.to_no - m.from_no + 1))) END AS computed
          FROM ledger.subledger h
          LEFT JOIN (
               SELECT y.subledger_id, string_agg(y.leaf, NULL) AS leaves, count(*) AS entries, min(y.entry_no) AS lowest,
                      max(y.entry_no) AS highest, min(y.book_id) AS first_book, max(y.book_id) AS last_book,
                      array_agg(y.entry_no) FILTER (WHERE NOT y.whole) AS broken
                 FROM (SELECT e.subledger_id, e.entry_no, e.book_id, coalesce(q.postings, 0) = e.posting_count AS whole,
                              sha256('\x01'::bytea || ledger.entry_record(e) || coalesce(q.bytes, ''::bytea)) AS leaf
                         FROM ledger.journal_entry e
                         LEFT JOIN (SELECT o.subledger_id, o.entry_no, string_agg(ledger.posting_record(o), NULL) AS bytes,
                                           count(*) AS postings
                                      FROM (SELECT p.* FROM ledger.posting p WHERE p.subledger_id > %1$s AND p.subledger_id <= %2$s
                                             ORDER BY p.subledger_id, p.entry_no, p.seq) o
                                     GROUP BY o.subledger_id, o.entry_no) q ON q.subledger_id = e.subledger_id AND q.entry_no = e.entry_no
                        WHERE e.subledger_id > %1$s AND e.subledger_id <= %2$s
                        ORDER BY e.subledger_id, e.entry_no) y
                GROUP BY y.subledger_id) j ON j.subledger_id = h.subledger_id
          LEFT JOIN ledger.seal_member m ON m.subledger_id = h.subledger_id AND m.subledger_id > %1$s AND m.subledger_id <= %2$s
          LEFT JOIN ledger.seal_member q ON q.subledger_id = m.subledger_id AND q.to_no = m.from_no - 1
                AND q.subledger_id > %1$s AND q.subledger_id <= %2$s
          LEFT JOIN (SELECT m.subledger_id, max(m.to_no) AS to_no FROM ledger.seal_member m
                      WHERE m.subledger_id > %1$s AND m.subledger_id <= %2$s GROUP BY m.subledger_id) l ON l.subledger_id = h.subledger_id
          LEFT JOIN ledger.seal_mark k ON k.subledger_id = h.subledger_id AND k.subledger_id > %1$s AND k.subledger_id <= %2$s
         WHERE h.subledger_id > %1$s AND h.subledger_id <= %2$s) r
     WHERE (coalesce(r.entries, 0), coalesce(r.highest, 0), coalesce(r.lowest, 1)) <> (r.last_entry_no, r.last_entry_no, 1)
        OR r.broken IS NOT NULL OR r.first_book <> r.book_id OR r.last_book <> r.book_id
        OR r.digest IS DISTINCT FROM r.computed OR (r.from_no > 1 AND coalesce(r.block_no <= r.previous_block, true))
        OR r.latest_no IS DISTINCT FROM r.sealed_no OR (r.to_no = r.sealed_no AND r.digest <> r.mark_digest)$run$) || ') ' || $report$
    SELECT DISTINCT f.code,
           format('subledger %s', r.subledger_id)
               || CASE WHEN f.lower IS NULL THEN '' WHEN f.lower = f.upper THEN format(', entry %s', f.lower)
                       ELSE format(', entries %s to %s', f.lower, f.upper) END,
           f.expected, f.found
      FROM suspect r
     CROSS JOIN LATERAL (
        SELECT 'entry-missing', g.lower, g.upper, 'in the journal', 'missing'
          FROM (SELECT coalesce(lag(e.entry_no) OVER (ORDER BY e.entry_no), 0) + 1 AS lower, e.entry_no - 1 AS upper
                  FROM (SELECT e.entry_no::bigint FROM ledger.journal_entry e WHERE e.subledger_id = r.subledger_id
                        UNION ALL
                        SELECT greatest(r.last_entry_no, r.highest, (SELECT max(m.to_no) FROM ledger.seal_member m
                                                                      WHERE m.subledger_id = r.subledger_id))::bigint + 1) e (entry_no)) g
         WHERE g.lower <= g.upper
        UNION ALL
        SELECT 'head-behind', NULL::bigint, NULL::bigint, 'last entry ' || coalesce(r.highest, 0), 'last entry ' || r.last_entry_no
         WHERE coalesce(r.highest, 0) > r.last_entry_no
        UNION ALL
        SELECT 'entry-incomplete', b, b, 'as many postings as the header declares', 'another number' FROM unnest(r.broken) b
        UNION ALL
        SELECT 'entry-of-other-book', NULL, NULL, 'book ' || r.book_id, format('entries of books %s to %s', r.first_book, r.last_book)
         WHERE r.first_book <> r.book_id OR r.last_book <> r.book_id
        UNION ALL
        SELECT 'entry-edited', r.from_no, r.to_no, encode(r.digest, 'hex'), coalesce(encode(c.computed, 'hex'), 'no entries')
          FROM (SELECT coalesce(r.computed, ledger.member_digest(r.subledger_id, r.from_no, r.to_no, r.previous))) c (computed)
         WHERE r.digest IS DISTINCT FROM c.computed
        UNION ALL
        SELECT 'member-out-of-line', r.from_no, r.to_no,
               'a member that ends before entry ' || r.from_no || ', in a block before ' || r.block_no,
               coalesce('one of block ' || r.previous_block, 'none')
         WHERE r.from_no > 1 AND coalesce(r.block_no <= r.previous_block, true)
        UNION ALL
        SELECT 'mark-differs', NULL, NULL, coalesce('sealed through ' || r.latest_no, 'no mark'),
               coalesce('sealed through ' || r.sealed_no || ', ' || encode(r.mark_digest, 'hex'), 'no mark')
         WHERE r.latest_no IS DISTINCT FROM r.sealed_no OR (r.to_no = r.sealed_no AND r.digest <> r.mark_digest)
     ) f (code, lower, upper, expected, found)$report$;
END $$;

-- Nothing belongs to a subledger that has no head.
CREATE OR REPLACE FUNCTION ledger.find_missing_heads() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET random_page_cost = 1 SET work_mem = '64MB' AS $$
DECLARE
    v_part text;
    v_run text := '';
BEGIN
    FOREACH v_part IN ARRAY ARRAY['journal_entry', 'seal_member', 'seal_mark'] LOOP
        v_run := v_run || format($run$
            SELECT DISTINCT 'subledger-missing', 'subledger ' || x.subledger_id, 'a head for what is in %1$s', 'missing'
              FROM ledger.%1$I x
              LEFT JOIN ledger.subledger h ON h.subledger_id = x.subledger_id AND h.subledger_id > %%1$s AND h.subledger_id <= %%2$s
             WHERE x.subledger_id > %%1$s AND x.subledger_id <= %%2$s AND h.subledger_id IS NULL UNION ALL$run$, v_part);
    END LOOP;
    RETURN QUERY EXECUTE ledger.in_runs(left(v_run, -length(' UNION ALL')));
END $$;

-- The blocks: their own hashes, the chain, and what each says of its members, its totals and the chart.
CREATE OR REPLACE FUNCTION ledger.find_broken_blocks() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY
    WITH member AS (
        SELECT s.block_no, ledger.merkle_fold(string_agg(s.hash, NULL ORDER BY s.subtree)) AS root, sum(s.members) AS members,
               sum(s.entries) AS entries
          FROM (SELECT l.block_no, l.place >> 20 AS subtree, count(*) AS members, sum(l.to_no - l.from_no + 1) AS entries,
                       ledger.merkle_fold(string_agg(sha256('\x00'::bytea
                           || ledger.member_record(l.subledger_id, l.from_no, l.to_no, l.digest)), NULL ORDER BY l.place)) AS hash
                  FROM (SELECT m.*, row_number() OVER (PARTITION BY m.block_no ORDER BY m.subledger_id, m.from_no) - 1 AS place
                          FROM ledger.seal_member m) l
                 GROUP BY l.block_no, l.place >> 20) s
         GROUP BY s.block_no
    ), total AS (
        SELECT t.block_no, sha256(string_agg(ledger.total_record(t), NULL
                   ORDER BY t.book_id, t.account_id, t.currency COLLATE "C", t.booking_date, t.effective_date)) AS digest
          FROM ledger.seal_total t GROUP BY t.block_no
    ), block AS (
        SELECT b AS row, b.*, lag(b.block_no) OVER w AS previous_no, lag(b.block_hash) OVER w AS hash_before,
               lag(b.sealed_at) OVER w AS sealed_before, m.block_no AS member_block, t.block_no AS total_block, m.root, m.members,
               m.entries, t.digest, c.digest AS chart
          FROM ledger.seal_block b
          FULL JOIN member m ON m.block_no = b.block_no
          FULL JOIN total t ON t.block_no = coalesce(b.block_no, m.block_no)
          LEFT JOIN ledger.account_change c ON c.change_no = b.chart_no
        WINDOW w AS (ORDER BY b.block_no)
    )
    SELECT f.code, 'block ' || coalesce(b.block_no, b.member_block, b.total_block), f.expected, f.found
      FROM block b
     CROSS JOIN LATERAL (
        SELECT 'block-missing', 'a block for its members and totals', 'missing' WHERE b.block_no IS NULL
        UNION ALL
        SELECT 'block-missing', 'after block ' || b.block_no - 1, 'after block ' || coalesce(b.previous_no, 0)
         WHERE b.block_no <> coalesce(b.previous_no, 0) + 1
        UNION ALL
        SELECT 'block-edited', encode(b.block_hash, 'hex'), encode(ledger.block_digest(b.row), 'hex')
         WHERE b.block_hash <> ledger.block_digest(b.row)
        UNION ALL
        SELECT 'block-chain-broken', coalesce(encode(b.hash_before, 'hex'), 'none'), coalesce(encode(b.previous_hash, 'hex'), 'none')
         WHERE b.block_no IS NOT NULL AND (b.previous_hash IS DISTINCT FROM b.hash_before OR b.sealed_at <= b.sealed_before)
        UNION ALL
        SELECT 'block-members-differ', format('%s members, %s entries', b.member_count, b.entry_count),
               format('%s members, %s entries', coalesce(b.members, 0), coalesce(b.entries, 0))
         WHERE b.block_no IS NOT NULL AND (b.member_count, b.entry_count) IS DISTINCT FROM (b.members, b.entries::bigint)
        UNION ALL
        SELECT 'block-root-differs', encode(b.merkle_root, 'hex'), coalesce(encode(b.root, 'hex'), 'none')
         WHERE b.block_no IS NOT NULL AND b.merkle_root IS DISTINCT FROM b.root
        UNION ALL
        SELECT 'block-totals-differ', encode(b.totals_digest, 'hex'), coalesce(encode(b.digest, 'hex'), 'none')
         WHERE b.block_no IS NOT NULL AND b.totals_digest IS DISTINCT FROM b.digest
        UNION ALL
        SELECT 'block-chart-differs', encode(b.chart_digest, 'hex'), coalesce(encode(b.chart, 'hex'), 'none')
         WHERE b.block_no IS NOT NULL
           AND b.chart_digest <> coalesce(b.chart, CASE b.chart_no WHEN 0 THEN sha256(''::bytea) ELSE ''::bytea END)
     ) f (code, expected, found);
END $$;

-- What each block adds up, recomputed from the postings; and whether each posting fits its header and the chart (I-2, I-9).
CREATE OR REPLACE FUNCTION ledger.find_broken_totals() RETURNS TABLE (code text, place text, expected text, found text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET work_mem = '64MB' AS $$
BEGIN
    RETURN QUERY EXECUTE 'WITH pair AS MATERIALIZED (' || ledger.in_runs($run$
        SELECT CASE WHEN p.entry_no <= m.to_no THEN m.blocks[width_bucket(p.entry_no, m.starts)] END AS block_no, e.book_id,
               p.debit_account, p.credit_account, p.currency, p.booking_date, e.effective_date, e.entry_no IS NULL AS alone,
               p.posting_count <> e.posting_count OR p.booking_date <> e.booking_date OR p.seq NOT BETWEEN 1 AND e.posting_count AS odd,
               sum(p.amount) AS amount, count(*) AS postings
          FROM ledger.posting p
          LEFT JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no
                AND e.subledger_id > %1$s AND e.subledger_id <= %2$s
          LEFT JOIN (SELECT m.subledger_id, array_agg(m.from_no ORDER BY m.from_no) AS starts,
                            array_agg(m.block_no ORDER BY m.from_no) AS blocks, max(m.to_no) AS to_no
                       FROM ledger.seal_member m WHERE m.subledger_id > %1$s AND m.subledger_id <= %2$s
                      GROUP BY m.subledger_id) m ON m.subledger_id = p.subledger_id
         WHERE p.subledger_id > %1$s AND p.subledger_id <= %2$s
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9$run$) || $report$
    ), computed AS (
        SELECT p.block_no, p.book_id, side.account_id, p.currency, p.booking_date, p.effective_date, sum(side.debit) AS debit,
               sum(side.credit) AS credit
          FROM pair p, LATERAL (VALUES (p.debit_account, p.amount, 0), (p.credit_account, 0, p.amount)) side (account_id, debit, credit)
         WHERE p.block_no IS NOT NULL AND NOT p.alone
         GROUP BY p.block_no, p.book_id, side.account_id, p.currency, p.booking_date, p.effective_date
    )
    SELECT 'total-differs',
           format('block %s, account %s, %s, booked %s, effective %s', block_no, account_id, currency, booking_date, effective_date),
           CASE WHEN t.debit IS NULL THEN 'no total' ELSE format('debit %s, credit %s', t.debit, t.credit) END,
           CASE WHEN c.debit IS NULL THEN 'no postings' ELSE format('debit %s, credit %s', c.debit, c.credit) END
      FROM ledger.seal_total t FULL JOIN computed c USING (block_no, book_id, account_id, currency, booking_date, effective_date)
     WHERE (t.debit, t.credit) IS DISTINCT FROM (c.debit, c.credit)
    UNION ALL
    SELECT 'block-postings-differ', 'block ' || b.block_no, b.posting_count::text, coalesce(n.postings, 0)::text
      FROM ledger.seal_block b
      LEFT JOIN (SELECT p.block_no, sum(p.postings) AS postings FROM pair p WHERE NOT p.alone GROUP BY p.block_no) n
           ON n.block_no = b.block_no
     WHERE b.posting_count IS DISTINCT FROM n.postings
    UNION ALL
    SELECT 'posting-at-odds', format('subledger %s, entry %s, posting %s', p.subledger_id, p.entry_no, p.seq), 'a header that agrees',
           CASE WHEN e.entry_no IS NULL THEN 'no header' ELSE 'its count, place or booking date differs' END
      FROM ledger.posting p LEFT JOIN ledger.journal_entry e ON e.subledger_id = p.subledger_id AND e.entry_no = p.entry_no
     WHERE (SELECT bool_or(q.alone OR q.odd) FROM pair q)
       AND (e.entry_no IS NULL OR p.posting_count <> e.posting_count OR p.booking_date <> e.booking_date
            OR p.seq NOT BETWEEN 1 AND e.posting_count)
    UNION ALL
    SELECT DISTINCT 'account-misused', format('account %s', side.account_id),
           format('an account of book %s that takes %s', p.book_id, p.currency),
           CASE WHEN a.account_id IS NULL THEN 'unknown' WHEN a.header THEN 'a header'
                ELSE format('of book %s, takes %s', a.book_id, coalesce(a.currency, 'any')) END
      FROM pair p CROSS JOIN LATERAL (VALUES (p.debit_account), (p.credit_account)) side (account_id)
      LEFT JOIN ledger.account a ON a.account_id = side.account_id
     WHERE a.account_id IS NULL OR a.book_id <> p.book_id OR a.header OR a.currency <> p.currency$report$;
END $$;
