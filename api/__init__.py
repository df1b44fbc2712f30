"""The doors: HTTP, console pages, command line."""
