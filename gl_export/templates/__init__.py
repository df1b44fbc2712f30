"""Templates of what people read in a browser or on paper."""
