"""Keep the tips of one agency, and read-only copies of what others released to it."""
