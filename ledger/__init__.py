"""The ledger core: an immutable double-entry journal, its chart of accounts, periods, balances and seals."""
