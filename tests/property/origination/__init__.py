"""Properties of the package origination."""
