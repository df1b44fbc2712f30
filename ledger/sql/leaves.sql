-- The byte forms of what is sealed, version 1, as ledger/canonical.py documents and computes them too. record_send writes
-- text in the client's encoding, so whatever calls these pins client_encoding to UTF8. They have no SET clause of their
-- own, so that the planner can put their bodies in place of the calls; every name in them is qualified instead.

CREATE OR REPLACE FUNCTION ledger.entry_record(e ledger.journal_entry) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.record_send(ROW (e.subledger_id, e.entry_no, e.book_id, e.template, e.template_version, e.effective_date,
        e.booking_date, e.recorded_at, e.actor, e.approved_by, e.request_key, e.fingerprint, e.source_ref, e.reverses_no,
        e.corrects_no, e.group_id, e.narration, e.details::pg_catalog.text, e.posting_count))
$$;

CREATE OR REPLACE FUNCTION ledger.posting_record(p ledger.posting) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.record_send(ROW (p.seq, p.debit_account, p.credit_account, p.amount, p.currency, p.booking_date))
$$;

-- The head of a member's digest takes the digest before it; its leaf in the tree takes its own.
CREATE OR REPLACE FUNCTION ledger.member_record(p_subledger_id bigint, p_from_no integer, p_to_no integer, p_digest bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.record_send(ROW (p_subledger_id, p_from_no, p_to_no, p_digest))
$$;

-- Totals are exact however many amounts of 64 bits a block adds up: they go in as decimal digits.
CREATE OR REPLACE FUNCTION ledger.total_record(t ledger.seal_total) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.record_send(ROW (t.book_id, t.account_id, t.currency, t.booking_date, t.effective_date,
        t.debit::pg_catalog.text, t.credit::pg_catalog.text))
$$;

CREATE OR REPLACE FUNCTION ledger.block_digest(b ledger.seal_block) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.sha256('\x01'::pg_catalog.bytea OPERATOR (pg_catalog.||) pg_catalog.record_send(ROW (b.block_no,
        b.previous_hash, b.merkle_root, b.member_count, b.entry_count, b.posting_count, b.totals_digest, b.chart_no,
        b.chart_digest, b.sealed_at)))
$$;

-- One change of an account with everything about the account that never changes, so that neither can be touched alone.
CREATE OR REPLACE FUNCTION ledger.change_record(c ledger.account_change, a ledger.account) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.record_send(ROW (c.change_no, a.account_id, a.book_id, a.code, a.slug, a.type, a.normal_side, a.currency,
        a.header, a.subledgered, a.may_go_contra, a.control, a.opened_from, c.effective_from, c.name, c.parent_id, c.is_closed,
        c.actor, c.recorded_at))
$$;

-- The root over node hashes of 32 bytes each, strung together; level by level, the odd one handed up (RFC 9162, 2.1).
CREATE OR REPLACE FUNCTION ledger.merkle_fold(p_hashes bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_level bytea := p_hashes;
    v_count integer := length(p_hashes) / 32;
BEGIN
    WHILE v_count > 1 LOOP
        v_level := (SELECT string_agg(sha256('\x01'::bytea || substr(v_level, 64 * i + 1, 64)), NULL)
                      FROM generate_series(0, v_count / 2 - 1) i)
                   || CASE WHEN v_count % 2 = 1 THEN substr(v_level, 32 * v_count - 31, 32) ELSE ''::bytea END;
        v_count := (v_count + 1) / 2;
    END LOOP;
    RETURN v_level;
END $$;

-- One entry's leaf; an entry without postings has that of its header alone.
CREATE OR REPLACE FUNCTION ledger.entry_leaf(p_subledger_id bigint, p_entry_no integer) RETURNS bytea
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' AS $$
    SELECT sha256('\x01'::bytea || ledger.entry_record(e)
                  || coalesce((SELECT string_agg(ledger.posting_record(p), NULL ORDER BY p.seq) FROM ledger.posting p
                                WHERE p.subledger_id = e.subledger_id AND p.entry_no = e.entry_no), ''::bytea))
      FROM ledger.journal_entry e
     WHERE e.subledger_id = p_subledger_id AND e.entry_no = p_entry_no
$$;

-- The digest of a run of entries, read one by one: for one subledger, or to look closer at what does not hold.
CREATE OR REPLACE FUNCTION ledger.member_digest(p_subledger_id bigint, p_from_no integer, p_to_no integer, p_previous bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET client_encoding = 'UTF8' AS $$
    SELECT sha256('\x01'::bytea || ledger.member_record(p_subledger_id, p_from_no, p_to_no, p_previous)
                  || string_agg(ledger.entry_leaf(e.subledger_id, e.entry_no), NULL ORDER BY e.entry_no))
      FROM ledger.journal_entry e
     WHERE e.subledger_id = p_subledger_id AND e.entry_no BETWEEN p_from_no AND p_to_no
$$;
