"""What changes a loan: boarding, payments, their undoing, and the daily cycle."""
