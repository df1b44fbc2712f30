"""Sources that are asked about applicants, one file per way of asking."""
