"""A loan is made here: intake, verification, decision, offer, funding."""
