"""Bank statements: read from files of several formats, proved to foot, and matched with what is to be settled."""
