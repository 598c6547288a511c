"""The commands of `renkei tips` and `renkei arrests` that have to do with files."""
