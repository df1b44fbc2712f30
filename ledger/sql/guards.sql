-- Guards: triggers that only refuse. They stop the owner's slip; what an owner does on purpose, the seal finds.
-- None reads a table that grows with the loans, and none writes.

CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'LB021',
        MESSAGE = format('%s of %I.%I is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
        DETAIL = jsonb_build_object('table', TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, 'operation', TG_OP)::text;
END $$;

-- An INSERT brings whole entries: postings 1..n of each, all saying n. So a balanced pair appended to an entry
-- that exists is refused by what the new rows themselves say (and 1..n again by the primary key).
-- It runs with every entry, so it sets nothing and asks as little as it can.
CREATE OR REPLACE FUNCTION ledger.refuse_partial_entries() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_subledger_id bigint;
    v_entry_no integer;
    v_count integer;
    v_next integer := 1;
BEGIN
    -- One entry, its postings in order, is the common case.
    FOR v IN SELECT n.subledger_id, n.entry_no, n.seq, n.posting_count FROM new_postings n LOOP
        IF v_next = 1 THEN
            v_subledger_id := v.subledger_id;
            v_entry_no := v.entry_no;
            v_count := v.posting_count;
        END IF;
        IF v.seq <> v_next OR v.posting_count <> v_count OR v.entry_no <> v_entry_no OR v.subledger_id <> v_subledger_id THEN
            v_count := NULL;
            EXIT;
        END IF;
        v_next := v_next + 1;
    END LOOP;
    IF v_next > v_count THEN
        RETURN NULL;
    END IF;
    SELECT n.subledger_id, n.entry_no, max(n.posting_count) AS expected, count(*) AS found
      INTO v
      FROM new_postings n
     GROUP BY n.subledger_id, n.entry_no
    HAVING count(*) <> max(n.posting_count) OR min(n.posting_count) <> max(n.posting_count)
        OR max(n.seq) <> count(*) OR min(n.seq) <> 1
     LIMIT 1;
    IF FOUND THEN
        PERFORM ledger.refuse('LB020', to_jsonb(v));
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER posting_whole_entries AFTER INSERT ON ledger.posting
    REFERENCING NEW TABLE AS new_postings FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_partial_entries();

-- A head's gate falls only where a period was reopened; a close raises it. Posting never sets this column.
CREATE OR REPLACE FUNCTION ledger.refuse_lowered_gate() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM ledger.period p WHERE p.book_id = OLD.book_id AND p.state IN ('closing', 'closed')
                  AND p.month + interval '1 month' - interval '1 day' > NEW.closed_through AND p.month <= OLD.closed_through) THEN
        PERFORM ledger.refuse('LB021', jsonb_build_object('table', 'ledger.' || TG_TABLE_NAME, 'operation', 'lowering closed_through'));
    END IF;
    RETURN NEW;
END $$;

-- After the update: a row trigger before it would have every post lock the head's row once more.
CREATE OR REPLACE TRIGGER subledger_gate_holds AFTER UPDATE OF closed_through ON ledger.subledger
    FOR EACH ROW WHEN (NEW.closed_through < OLD.closed_through) EXECUTE FUNCTION ledger.refuse_lowered_gate();
CREATE OR REPLACE TRIGGER subledger_identity_holds AFTER UPDATE OF subledger_id, book_id, currency ON ledger.subledger
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse_change();
CREATE OR REPLACE TRIGGER birth_gate_holds BEFORE UPDATE OF closed_through ON ledger.birth_gate
    FOR EACH ROW WHEN (NEW.closed_through < OLD.closed_through) EXECUTE FUNCTION ledger.refuse_lowered_gate();

CREATE OR REPLACE TRIGGER id_block_moves_forward_only BEFORE UPDATE ON ledger.id_block
    FOR EACH ROW WHEN (NEW.next_id <= OLD.next_id OR NEW.name <> OLD.name) EXECUTE FUNCTION ledger.refuse_change();

CREATE OR REPLACE TRIGGER book_moves_forward_only BEFORE UPDATE ON ledger.book FOR EACH ROW
    WHEN (NEW.business_date < OLD.business_date
          OR ROW (NEW.book_id, NEW.code, NEW.name, NEW.base_currency, NEW.time_zone, NEW.fiscal_year_start_month,
                  NEW.opened_on, NEW.own_subledger_id, NEW.recorded_at)
             IS DISTINCT FROM
             ROW (OLD.book_id, OLD.code, OLD.name, OLD.base_currency, OLD.time_zone, OLD.fiscal_year_start_month,
                  OLD.opened_on, OLD.own_subledger_id, OLD.recorded_at))
    EXECUTE FUNCTION ledger.refuse_change();

CREATE OR REPLACE TRIGGER account_keeps_its_nature BEFORE UPDATE ON ledger.account FOR EACH ROW
    WHEN (ROW (NEW.account_id, NEW.book_id, NEW.code, NEW.slug, NEW.type, NEW.normal_side, NEW.currency, NEW.header,
               NEW.subledgered, NEW.may_go_contra, NEW.control, NEW.opened_from)
          IS DISTINCT FROM
          ROW (OLD.account_id, OLD.book_id, OLD.code, OLD.slug, OLD.type, OLD.normal_side, OLD.currency, OLD.header,
               OLD.subledgered, OLD.may_go_contra, OLD.control, OLD.opened_from))
    EXECUTE FUNCTION ledger.refuse_change();

-- ledger/periods.py declares these transitions; a test compares the two.
CREATE OR REPLACE TRIGGER period_follows_its_life BEFORE UPDATE ON ledger.period FOR EACH ROW
    WHEN ((NEW.book_id, NEW.month) <> (OLD.book_id, OLD.month)
          OR (OLD.state || '>' || NEW.state) NOT IN ('open>soft_closed', 'soft_closed>open', 'open>closing',
              'soft_closed>closing', 'closing>closing', 'closing>closed', 'closing>soft_closed', 'closed>soft_closed'))
    EXECUTE FUNCTION ledger.refuse_change();

CREATE OR REPLACE TRIGGER request_answered_once BEFORE UPDATE ON ledger.request FOR EACH ROW
    WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION ledger.refuse_change();
CREATE OR REPLACE TRIGGER manual_journal_decided_once BEFORE UPDATE ON ledger.manual_journal FOR EACH ROW
    WHEN (OLD.state <> 'proposed') EXECUTE FUNCTION ledger.refuse_change();

-- Append-only tables take INSERT alone; the others lose no row. Statement triggers, so that no row is needed.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['journal_entry', 'posting', 'seal_block', 'seal_member', 'seal_total', 'business_day',
                                   'account_change', 'role_map', 'period_event', 'period_balance', 'year_end', 'batch_chunk'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table || '_append_only', v_table);
    END LOOP;
    FOREACH v_table IN ARRAY ARRAY['book', 'account', 'period', 'birth_gate', 'id_block', 'subledger', 'account_balance',
                                   'activity', 'seal_mark', 'request', 'manual_journal'] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE DELETE OR TRUNCATE ON ledger.%I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change()', v_table || '_keeps_its_rows', v_table);
    END LOOP;
END $$;
