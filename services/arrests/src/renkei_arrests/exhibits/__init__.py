"""Exhibits: what was seized with an arrest, by the thousand, each a row of its own under the label of its arrest."""
