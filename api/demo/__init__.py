"""The demonstration: a portfolio lives three months of its life on the real commands, and every month is closed."""
