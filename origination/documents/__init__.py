"""Documents for people: their templates, and how they become HTML and PDF."""
