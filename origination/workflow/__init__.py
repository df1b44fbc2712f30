"""How an application goes its way: a declared workflow, and a state that is the fold of what happened."""
