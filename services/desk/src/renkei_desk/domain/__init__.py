"""What the desk works out itself, without asking anybody: dates in words, the pictures."""
