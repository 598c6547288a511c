"""Keep an agency's own records, and read-only copies of what others released: what tips and arrests share.

There is nothing to inherit from. A service describes its kind of record as a value (`RecordKind`), makes
its tables (`record_tables`), and calls the rules and reads from its own methods.
"""
