"""A loan lives: schedule, accrual, payments and their allocation, returns, replay, late fees, delinquency."""
