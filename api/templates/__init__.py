"""Pages for people, as templates that escape every value."""
