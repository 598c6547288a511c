"""Find leads: records that identifiers connect, with the evidence."""
