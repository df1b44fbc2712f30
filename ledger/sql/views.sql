-- The journal as an accountant draws it: account, debit, credit, netted per account and side.

CREATE OR REPLACE VIEW ledger.journal_line AS
SELECT e.book_id, s.subledger_id, s.entry_no, row_number() OVER (PARTITION BY s.subledger_id, s.entry_no
                                                                 ORDER BY s.is_credit, s.first_seq, a.code, s.currency) AS line_no,
       e.effective_date, s.booking_date, e.recorded_at, e.template, a.account_id, a.code AS account, a.slug,
       CASE WHEN NOT s.is_credit THEN s.amount ELSE 0 END AS debit,
       CASE WHEN s.is_credit THEN s.amount ELSE 0 END AS credit,
       s.currency, e.actor, e.request_key, e.source_ref, e.reverses_no, e.corrects_no, e.narration
  FROM (SELECT p.subledger_id, p.entry_no, p.booking_date, side.account_id, side.is_credit, p.currency,
               sum(p.amount)::numeric AS amount, min(p.seq) AS first_seq
          FROM ledger.posting p, LATERAL (VALUES (p.debit_account, false), (p.credit_account, true)) side (account_id, is_credit)
         GROUP BY p.subledger_id, p.entry_no, p.booking_date, side.account_id, side.is_credit, p.currency) s
  JOIN ledger.journal_entry e ON e.subledger_id = s.subledger_id AND e.entry_no = s.entry_no
  JOIN ledger.account a ON a.account_id = s.account_id;
