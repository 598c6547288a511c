"""Look a node over, running or not: what is wrong, and what to do about it. Nothing is changed."""
