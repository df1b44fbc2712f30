"""The GL export on a real database: batches, reconciliation, reports, the close."""
