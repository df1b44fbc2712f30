"""What only reads the export: batches and what is behind them, balances to tie out, where a close stands."""
