"""An embedded PostgreSQL server: found, initialized, started, attached to, stopped; nothing to install."""
