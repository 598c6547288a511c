"""What every Renkei service stands on; it knows no service itself."""
