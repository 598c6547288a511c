"""Search in texts and identifiers: an index of pairs of characters, built behind the writes, the same on any database.

A record that comes, changes or goes leaves a row in `pending`, in its own transaction. `indexing` brings the index in
line with what is pending; what is pending still is searched without it. An answer never rests on the index alone:
every candidate is compared with the record as it is now.
"""
