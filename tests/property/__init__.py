"""What must always be true, on generated values."""
