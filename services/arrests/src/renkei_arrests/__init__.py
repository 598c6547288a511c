"""Keep the arrest records of one agency, the clocks that run, and read-only copies of what others released to it."""
