"""Golden tests: what the books say of a loan's life, worked out by hand."""
