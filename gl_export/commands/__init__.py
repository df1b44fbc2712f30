"""What changes the export: building and delivering batches, loading a mapping, closing a month."""
