"""Keep a service's state: one database, one writer, one schema."""
