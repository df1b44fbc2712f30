"""A bureau for trying out: invented people, slow answers and outages on demand, in a process of its own."""
