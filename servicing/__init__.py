"""A loan lives here: schedules, accrual, payments, workouts, payoff."""
