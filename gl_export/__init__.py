"""The books leave here: mapping, batches, reconciliation, reports, close."""
