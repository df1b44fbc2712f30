-- Who may do what. Nobody but the owner may insert into the journal; the application calls the functions named here.

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO loanbook_app, loanbook_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO loanbook_app, loanbook_reader;
GRANT INSERT, DELETE ON ledger.batch_staging TO loanbook_app;

DO $$
DECLARE
    v_function text;
    v_oid oid;
BEGIN
    FOREACH v_function IN ARRAY ARRAY[
        'post_entry', 'post_entries', 'post_batch_chunk', 'record_batch_chunk', 'take_ids', 'create_book', 'open_period', 'advance_business_date',
        'open_account', 'change_account', 'map_role', 'open_subledgers', 'freeze_subledger', 'change_period', 'move_birth_gates',
        'move_gates', 'record_year_end', 'begin_request', 'answer_request', 'propose_manual_journal', 'decide_manual_journal', 'seal'] LOOP
        FOR v_oid IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'ledger'::regnamespace AND p.proname = v_function LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO loanbook_app', v_oid::regprocedure);
        END LOOP;
    END LOOP;
    -- What only recomputes (ledger/sql/leaves.sql, verify_seals.sql, verify_books.sql) is for the auditor too.
    FOREACH v_function IN ARRAY ARRAY[
        'entry_record', 'posting_record', 'member_record', 'total_record', 'block_digest', 'change_record', 'merkle_fold', 'entry_leaf',
        'member_digest', 'in_runs', 'find_broken_members', 'find_missing_heads', 'find_broken_blocks', 'find_broken_totals',
        'find_broken_balances', 'find_broken_activity', 'find_broken_chart', 'find_broken_periods', 'find_broken_entries'] LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION ledger.%I TO loanbook_app, loanbook_reader', v_function);
    END LOOP;
END $$;
