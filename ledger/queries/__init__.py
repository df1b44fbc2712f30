"""What only reads the ledger, for people, programs and reports."""
