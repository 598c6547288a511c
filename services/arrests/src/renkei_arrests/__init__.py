"""Keep arrest records, their clocks and seized items, and copies of others' records."""
