"""Applications and fundings on a real database."""
