"""What tests share: servers, databases, paths."""
