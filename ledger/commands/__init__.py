"""What changes the ledger: each command loads, decides by the pure modules, writes and returns."""
