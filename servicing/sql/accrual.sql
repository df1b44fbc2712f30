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
