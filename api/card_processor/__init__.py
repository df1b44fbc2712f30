"""A card processor for trying out, a process of its own: `app` answers, `accounts` keeps, `webhook` tells."""
