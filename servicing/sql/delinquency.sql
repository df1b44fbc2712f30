-- Ranges of days of where loans stand: kept in step with what the fold of a loan says, and read for a whole book.

-- Bring the ranges of a loan in step with its positions, of which p_from_days are the first days, in order: the last one goes on.
-- Ranges that begin before the first of them are left alone but for their end. What is as it was stays; what was never in force at
-- the close of a day that is over goes; what was is superseded on p_today.
CREATE OR REPLACE FUNCTION servicing.keep_delinquency(
    p_loan_id bigint, p_today date, p_from_days date[], p_since date[], p_recent_since date[], p_counts_from date[],
    p_recent_counts_from date[], p_stopped_on date[], p_principal bigint[], p_interest bigint[], p_fees bigint[], p_penalties bigint[], p_statuses text[], OUT o_written integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_next bigint;
    v_count integer;
BEGIN
    SELECT coalesce(max(r.range_no), 0) INTO v_next FROM servicing.delinquency_range r WHERE r.loan_id = p_loan_id;
    -- A range that begins before the first position cannot have changed, but it may have gone on for ever.
    UPDATE servicing.delinquency_range r
       SET through = p_from_days[1] - 1
     WHERE r.loan_id = p_loan_id AND r.superseded_on IS NULL AND r.from_day < p_from_days[1]
       AND (r.through IS NULL OR r.through >= p_from_days[1]) AND p_from_days[1] >= p_today;
    WITH positions AS (
        SELECT p.*, lead(p.from_day) OVER (ORDER BY p.from_day) - 1 AS through
          FROM unnest(p_from_days, p_since, p_recent_since, p_counts_from, p_recent_counts_from, p_stopped_on, p_principal, p_interest,
                      p_fees, p_penalties, p_statuses)
               p (from_day, since, recent_since, counts_from, recent_counts_from, stopped_on, principal, interest, fees, penalties,
                  status)
    ), kept AS (
        SELECT r.range_no, p.through,
               r.from_day = p.from_day AND r.since IS NOT DISTINCT FROM p.since
                   AND r.recent_since IS NOT DISTINCT FROM p.recent_since
                   AND r.counts_from IS NOT DISTINCT FROM p.counts_from
                   AND r.recent_counts_from IS NOT DISTINCT FROM p.recent_counts_from
                   AND r.stopped_on IS NOT DISTINCT FROM p.stopped_on AND r.principal = p.principal AND r.interest = p.interest
                   AND r.fees = p.fees AND r.penalties = p.penalties AND r.status = p.status
                   AND (r.through IS NOT DISTINCT FROM p.through
                        OR coalesce(r.through, 'infinity') >= p_today - 1 AND coalesce(p.through, 'infinity') >= p_today - 1) AS holds,
               r.from_day >= p_today OR r.known_on >= p_today AS is_new
          FROM servicing.delinquency_range r
          LEFT JOIN positions p ON p.from_day = r.from_day
         WHERE r.loan_id = p_loan_id AND r.superseded_on IS NULL AND r.from_day >= p_from_days[1]
    ), gone AS (
        DELETE FROM servicing.delinquency_range r USING kept k
         WHERE r.loan_id = p_loan_id AND r.range_no = k.range_no AND k.holds IS NOT TRUE AND k.is_new RETURNING 1
    ), changed AS (
        UPDATE servicing.delinquency_range r
           SET through = CASE WHEN k.holds THEN k.through ELSE r.through END,
               superseded_on = CASE WHEN k.holds THEN NULL ELSE p_today END
          FROM kept k
         WHERE r.loan_id = p_loan_id AND r.range_no = k.range_no
           AND (k.holds AND r.through IS DISTINCT FROM k.through OR k.holds IS NOT TRUE AND NOT k.is_new)
        RETURNING 1
    ), added AS (
        INSERT INTO servicing.delinquency_range (loan_id, range_no, from_day, through, since, recent_since, counts_from,
                                                 recent_counts_from, stopped_on, principal, interest, fees, penalties, status, known_on)
        SELECT p_loan_id, v_next + row_number() OVER (ORDER BY p.from_day), p.from_day, p.through, p.since, p.recent_since,
               p.counts_from, p.recent_counts_from, p.stopped_on, p.principal, p.interest, p.fees, p.penalties, p.status, p_today
          FROM positions p
         WHERE NOT EXISTS (SELECT FROM kept k JOIN servicing.delinquency_range r
                                    ON r.loan_id = p_loan_id AND r.range_no = k.range_no
                            WHERE k.holds AND r.from_day = p.from_day)
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM changed) + (SELECT count(*) FROM added) INTO v_count;
    o_written := v_count;
END $$;
