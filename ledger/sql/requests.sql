-- One request, one effect: the row of a key is inserted before the work and answered in the same transaction, so a
-- twin waits at the primary key and then finds the outcome.

-- Begin a request, or find it: o_state is 'new', 'done' or 'differs' (then o_field names an input that differs).
CREATE OR REPLACE FUNCTION ledger.begin_request(
    p_subledger_id bigint, p_request_key text, p_command text, p_inputs jsonb, p_actor text,
    OUT o_state text, OUT o_outcome jsonb, OUT o_refused boolean, OUT o_field text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    INSERT INTO ledger.request (subledger_id, request_key, command, inputs, actor)
    VALUES (p_subledger_id, p_request_key, p_command, p_inputs, p_actor) ON CONFLICT (subledger_id, request_key) DO NOTHING;
    IF FOUND THEN
        o_state := 'new';
        RETURN;
    END IF;
    SELECT r.command, r.inputs, r.outcome, r.refused INTO v
      FROM ledger.request r WHERE r.subledger_id = p_subledger_id AND r.request_key = p_request_key;
    IF v.command <> p_command THEN
        o_state := 'differs';
        o_field := 'command';
    ELSIF v.inputs <> p_inputs THEN
        o_state := 'differs';
        SELECT min(k) INTO o_field
          FROM (SELECT jsonb_object_keys(v.inputs) UNION SELECT jsonb_object_keys(p_inputs)) keys (k)
         WHERE v.inputs -> k IS DISTINCT FROM p_inputs -> k;
    ELSE
        o_state := 'done';
        o_outcome := v.outcome;
        o_refused := v.refused;
    END IF;
END $$;

CREATE OR REPLACE FUNCTION ledger.answer_request(
    p_subledger_id bigint, p_request_key text, p_outcome jsonb, p_refused boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE ledger.request SET outcome = p_outcome, refused = p_refused
     WHERE subledger_id = p_subledger_id AND request_key = p_request_key
$$;

-- Manual journals: a proposal by its maker, then one decision by somebody else.
CREATE OR REPLACE FUNCTION ledger.propose_manual_journal(
    p_journal_id bigint, p_book_id integer, p_maker text, p_effective_date date, p_booking_date date, p_narration text,
    p_source_ref text, p_lines jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.manual_journal (journal_id, book_id, state, maker, effective_date, booking_date, narration, source_ref, lines)
    VALUES (p_journal_id, p_book_id, 'proposed', p_maker, p_effective_date, p_booking_date, p_narration, p_source_ref, p_lines)
$$;

CREATE OR REPLACE FUNCTION ledger.decide_manual_journal(
    p_journal_id bigint, p_state text, p_checker text, p_reason text, p_entry_no integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v record;
BEGIN
    SELECT j.state, j.maker INTO v FROM ledger.manual_journal j WHERE j.journal_id = p_journal_id FOR NO KEY UPDATE;
    IF NOT FOUND OR v.state <> 'proposed' THEN
        PERFORM ledger.refuse('LB032', jsonb_build_object('journal_id', p_journal_id, 'state', coalesce(v.state, 'unknown'), 'wanted', p_state));
    ELSIF v.maker = p_checker THEN
        PERFORM ledger.refuse('LB022', jsonb_build_object('action', 'manual journal ' || p_journal_id, 'actor', v.maker, 'approver', p_checker));
    END IF;
    UPDATE ledger.manual_journal SET state = p_state, checker = p_checker, reason = p_reason, entry_no = p_entry_no,
           decided_at = clock_timestamp()
     WHERE journal_id = p_journal_id;
END $$;

CREATE OR REPLACE FUNCTION ledger.record_batch_chunk(
    p_book_id integer, p_request_key text, p_chunk_no integer, p_from bigint, p_to bigint, p_entry_count integer, p_fingerprint bytea)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO ledger.batch_chunk (book_id, request_key, chunk_no, from_subledger_id, to_subledger_id, entry_count, fingerprint)
    VALUES (p_book_id, p_request_key, p_chunk_no, p_from, p_to, p_entry_count, p_fingerprint)
$$;
