"""The schema's history: forward only, one migration per change, never edited once landed."""
