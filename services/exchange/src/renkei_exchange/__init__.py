"""Keep the only door between agencies: peers and their lanes."""
