"""Keep a service's state in PostgreSQL: address, driver, dialect, and who may write. Imported where it is used."""
