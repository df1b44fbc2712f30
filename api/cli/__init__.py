"""The command line: `loanbook`, one file for each group of commands."""
