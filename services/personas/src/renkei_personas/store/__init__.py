"""The tables of the personas service, and what is read from and written to them."""
