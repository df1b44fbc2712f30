"""Who approves a funding, what must be there before it, and how long it may be canceled."""
